import {
  Problem,
  abortError,
  isErrorBody,
  problemFromBody,
  type CompareRequest,
  type ComparisonFigure,
  type ComparisonTransport
} from '../core';
import type { WidgetModel } from './model';

interface Reply {
  id: number;
  ok: boolean;
  result?: unknown;
  error?: unknown;
}

interface Answer {
  result: unknown;
  buffers: readonly DataView[];
}

interface Pending {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

const PATIENCE_MS = 120_000;

// Other pages may be attached to the same kernel and hear the same replies.
let lastId = Math.floor(Math.random() * 2 ** 40);

function isReply(message: unknown): message is Reply {
  return (
    typeof message === 'object' &&
    message !== null &&
    typeof (message as Reply).id === 'number' &&
    typeof (message as Reply).ok === 'boolean'
  );
}

export interface BokehSource {
  version: string;
  source: string;
}

/** The library over the comm of a notebook widget. */
export class CommTransport implements ComparisonTransport {
  readonly #model: WidgetModel;
  readonly #patienceMs: number;
  readonly #pending = new Map<number, Pending>();

  constructor(model: WidgetModel, patienceMs = PATIENCE_MS) {
    this.#model = model;
    this.#patienceMs = patienceMs;
    model.on('msg:custom', this.#receive);
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Stop listening; whatever is asked for is no longer wanted. */
  dispose(): void {
    this.#model.off('msg:custom', this.#receive);
    for (const { reject } of [...this.#pending.values()]) {
      reject(abortError());
    }
  }

  async compare(request: CompareRequest, signal?: AbortSignal): Promise<ComparisonFigure> {
    return (await this.#ask('compare', request, signal)).result as ComparisonFigure;
  }

  /** The BokehJS that belongs to the bokeh installed beside the kernel. */
  async bokehjs(signal?: AbortSignal): Promise<BokehSource> {
    const { result, buffers } = await this.#ask('bokehjs', {}, signal);
    const [bytes] = buffers;
    if (bytes === undefined) {
      throw new Problem('server', 'The kernel sent no BokehJS.');
    }
    const { version } = result as { version: string };
    return { version, source: new TextDecoder().decode(bytes) };
  }

  #ask(method: string, params: unknown, signal?: AbortSignal): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      if (signal?.aborted) {
        reject(abortError());
        return;
      }
      lastId += 1;
      const id = lastId;
      const settle = (): void => {
        this.#pending.delete(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      const abort = (): void => fail(abortError());
      const timer = setTimeout(() => fail(new Problem('no-answer', '')), this.#patienceMs);
      signal?.addEventListener('abort', abort);
      this.#pending.set(id, {
        resolve: answer => {
          settle();
          resolve(answer);
        },
        reject: fail
      });
      this.#model.send({ id, method, params });
    });
  }

  readonly #receive = (message: unknown, buffers: readonly DataView[] = []): void => {
    if (!isReply(message)) {
      return;
    }
    const pending = this.#pending.get(message.id);
    if (pending === undefined) {
      return;
    }
    if (message.ok) {
      pending.resolve({ result: message.result, buffers });
    } else {
      pending.reject(
        isErrorBody(message.error)
          ? problemFromBody(message.error)
          : new Problem('server', 'The kernel failed without saying why.')
      );
    }
  };
}
