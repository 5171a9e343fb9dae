import type { ImportOutcome, Job, WatchState } from '../model';
import { asProblem, isAbort, type Problem } from '../problem';
import type { IntakeTransport } from '../transport';

/** An import or an upload that is over, until the user has seen it. */
export interface EndedImport {
  readonly key: string;
  readonly path: string;
  readonly state: Job['state'];
  readonly outcomes: readonly ImportOutcome[];
  readonly message: string;
}

/** What is coming into the library. Replaced as a whole by every change, never mutated. */
export interface IntakeState {
  readonly form: 'import' | 'watch' | null;
  readonly running: readonly Job[];
  readonly uploading: string | null;
  readonly ended: readonly EndedImport[];
  readonly watches: readonly WatchState[];
  /** Why the last thing that the user asked for was not done. */
  readonly problem: Problem | null;
}

const INITIAL_STATE: IntakeState = {
  form: null,
  running: [],
  uploading: null,
  ended: [],
  watches: [],
  problem: null
};

export interface IntakeStoreOptions {
  transport: IntakeTransport;
  /** Called when runs may have come in. */
  onNewRuns: () => void;
  /** How often imports that run are asked about. */
  intervalMs?: number;
}

/** Imports and followed folders: asked about often while something runs, else when told to. */
export class IntakeStore {
  readonly #transport: IntakeTransport;
  readonly #onNewRuns: () => void;
  readonly #intervalMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #stop = new AbortController();
  #state = INITIAL_STATE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #upload: AbortController | null = null;
  #refreshing: Promise<void> | null = null;

  constructor({ transport, onNewRuns, intervalMs = 1000 }: IntakeStoreOptions) {
    this.#transport = transport;
    this.#onNewRuns = onNewRuns;
    this.#intervalMs = intervalMs;
  }

  readonly getState = (): IntakeState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get listenerCount(): number {
    return this.#listeners.size;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#stop.abort();
    this.#upload?.abort();
    this.#listeners.clear();
  }

  showForm(form: IntakeState['form']): void {
    this.#set({ form, problem: null });
  }

  dismiss(key: string): void {
    this.#set({ ended: this.#state.ended.filter(item => item.key !== key) });
  }

  /** Ask how imports and folders are; rejects when the library can not be reached. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  startImport(path: string): Promise<boolean> {
    return this.#attempt(async () => {
      const job = await this.#transport.startImport(path);
      this.#set({ form: null, running: [job, ...this.#state.running] });
      this.#schedule();
    });
  }

  cancelImport(jobId: string): Promise<boolean> {
    return this.#attempt(async () => {
      await this.#transport.cancelImport(jobId);
      this.#schedule();
    });
  }

  /** Send a package that lies on the user's own machine. */
  async upload(file: File): Promise<boolean> {
    const upload = (this.#upload = new AbortController());
    this.#set({ uploading: file.name });
    try {
      return await this.#attempt(async () => {
        const outcome = await this.#transport.upload(file, upload.signal);
        const key = `upload-${file.name}-${file.lastModified}`;
        this.#ended({ key, path: file.name, state: 'finished', outcomes: [outcome], message: '' });
        this.#set({ form: null });
        this.#onNewRuns();
      });
    } finally {
      this.#set({ uploading: null });
    }
  }

  cancelUpload(): void {
    this.#upload?.abort();
  }

  watchFolder(folder: string): Promise<boolean> {
    return this.#attempt(async () => {
      const watch = await this.#transport.watchFolder(folder);
      const others = this.#state.watches.filter(item => item.watch_id !== watch.watch_id);
      this.#set({ form: null, watches: [...others, watch] });
      this.#schedule();
    });
  }

  stopWatch(watchId: string): Promise<boolean> {
    return this.#attempt(async () => {
      await this.#transport.stopWatch(watchId);
      this.#set({ watches: this.#state.watches.filter(item => item.watch_id !== watchId) });
    });
  }

  async #attempt(action: () => Promise<void>): Promise<boolean> {
    this.#set({ problem: null });
    try {
      await action();
      return true;
    } catch (error) {
      if (!isAbort(error)) {
        this.#set({ problem: asProblem(error) });
      }
      return false;
    }
  }

  async #ask(): Promise<void> {
    const { signal } = this.#stop;
    const known = this.#state;
    const [jobs, watches] = await Promise.all([
      this.#transport.imports(signal),
      this.#transport.watches(signal)
    ]);
    const running = jobs.filter(job => job.state === 'running');
    const still = new Set(running.map(job => job.job_id));
    const over = known.running.filter(job => !still.has(job.job_id));
    const ended = await Promise.all(over.map(job => this.#transport.importJob(job.job_id, signal)));
    if (signal.aborted) {
      return;
    }
    ended.forEach(job => this.#endedJob(job));
    // What was started while this was being asked is not in the answer.
    const asked = new Set(known.running.map(job => job.job_id));
    const started = this.#state.running.filter(
      job => !asked.has(job.job_id) && !still.has(job.job_id)
    );
    this.#set({ running: [...started, ...running], watches });
    if (ended.length > 0 || takenIn(watches) !== takenIn(known.watches)) {
      this.#onNewRuns();
    }
    this.#schedule();
  }

  #endedJob(job: Job): void {
    const { job_id: key, path, state, outcomes, error } = job;
    this.#ended({ key, path, state, outcomes, message: error?.message ?? '' });
  }

  #ended(item: EndedImport): void {
    const others = this.#state.ended.filter(({ key }) => key !== item.key);
    this.#set({ ended: [item, ...others] });
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const { running, watches } = this.#state;
    const isBusy = running.length > 0 || watches.some(watch => watch.n_waiting > 0);
    if (isBusy && !this.#stop.signal.aborted) {
      this.#timer = setTimeout(() => {
        // The poll of the library asks again when this fails.
        this.refresh().catch(() => undefined);
      }, this.#intervalMs);
    }
  }

  #set(change: Partial<IntakeState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}

function takenIn(watches: readonly WatchState[]): number {
  return watches.reduce((total, watch) => total + watch.n_taken_in, 0);
}
