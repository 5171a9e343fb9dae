import type { WidgetModel } from '../../src/widget/model';

type Callback = (...args: never[]) => void;
type Anything = (...args: unknown[]) => void;

export interface SentMessage {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

/** A widget model in memory, with both ends of its comm in the hands of the test. */
export class FakeModel implements WidgetModel {
  readonly sent: SentMessage[] = [];
  saves = 0;
  readonly #traits: Map<string, unknown>;
  readonly #listeners = new Map<string, Set<Callback>>();

  constructor(traits: Record<string, unknown> = {}) {
    this.#traits = new Map(Object.entries(traits));
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, callbacks) => sum + callbacks.size, 0);
  }

  get(trait: string): unknown {
    return this.#traits.get(trait);
  }

  set(trait: string, value: unknown): void {
    this.#traits.set(trait, value);
    this.emit(`change:${trait}`);
  }

  save_changes(): void {
    this.saves += 1;
  }

  on(event: string, callback: Callback): void {
    const callbacks = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, callbacks.add(callback));
  }

  off(event: string, callback: Callback): void {
    this.#listeners.get(event)?.delete(callback);
  }

  send(content: unknown): void {
    this.sent.push(content as SentMessage);
  }

  emit(event: string, ...args: unknown[]): void {
    for (const callback of [...(this.#listeners.get(event) ?? [])]) {
      (callback as Anything)(...args);
    }
  }

  /** Answer the last message of a method. */
  reply(method: string, result: unknown, buffers: DataView[] = []): void {
    this.emit('msg:custom', { id: this.#idOf(method), ok: true, result }, buffers);
  }

  fail(method: string, error: unknown): void {
    this.emit('msg:custom', { id: this.#idOf(method), ok: false, error }, []);
  }

  #idOf(method: string): number {
    const message = this.sent.findLast(sent => sent.method === method);
    if (message === undefined) {
      throw new Error(`Nobody asked for ${method}.`);
    }
    return message.id;
  }
}
