import type { SimulationMetadata, TagChange } from '../model';
import { asProblem, isAbort } from '../problem';
import type { LibraryTransport } from '../transport';
import { IntakeStore } from './intakeStore';
import {
  INITIAL_STATE,
  withChanged,
  withMore,
  withPage,
  withRemoved,
  type LibraryState
} from './libraryState';

export interface LibraryStoreOptions {
  transport: LibraryTransport;
  pageSize?: number;
  debounceMs?: number;
}

/**
 * The state of the sidebar and everything that changes it.
 *
 * Answers that are no longer wanted never reach the state: a new search aborts the one
 * before it, and `dispose` aborts all of them.
 */
export class LibraryStore {
  readonly transport: LibraryTransport;
  /** The imports and the folders by which runs come into the library. */
  readonly intake: IntakeStore;
  #pageSize: number;
  readonly #debounceMs: number;
  readonly #listeners = new Set<() => void>();
  #state = INITIAL_STATE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #search: AbortController | null = null;
  #lastPage: unknown = null;
  #loading = false;

  constructor({ transport, pageSize = 50, debounceMs = 120 }: LibraryStoreOptions) {
    this.transport = transport;
    this.intake = new IntakeStore({ transport, onNewRuns: () => void this.#lookAgain() });
    this.#pageSize = pageSize;
    this.#debounceMs = debounceMs;
  }

  readonly getState = (): LibraryState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get listenerCount(): number {
    return this.#listeners.size;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#search?.abort();
    this.#search = null;
    this.intake.dispose();
    this.#listeners.clear();
  }

  setPageSize(pageSize: number): void {
    if (pageSize !== this.#pageSize) {
      this.#pageSize = pageSize;
      void this.reload();
    }
  }

  /** Search for what is being typed, once the typing pauses. */
  setQuery(query: string): void {
    this.#set({ query });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.reload(), this.#debounceMs);
  }

  clearQuery(): void {
    this.#set({ query: '' });
    void this.reload();
  }

  /** Search now, and show that it is happening. */
  async reload(): Promise<void> {
    try {
      await this.#load();
      await this.intake.refresh();
    } catch {
      // The state tells of it.
    }
  }

  /** Look quietly whether something changed; rejects when the library can not be reached. */
  async refresh(): Promise<void> {
    const typing = this.#state.query !== this.#state.answered;
    if (!typing && !this.#state.searching && !this.#state.loadingMore) {
      await this.#load({ quietly: true });
    }
    await this.intake.refresh();
  }

  async loadMore(): Promise<void> {
    const { nextCursor, answered, loadingMore, searching } = this.#state;
    if (nextCursor === null || loadingMore || searching) {
      return;
    }
    const search = this.#newSearch();
    this.#set({ loadingMore: true });
    try {
      const page = await this.transport.search(
        { query: answered, limit: this.#pageSize, cursor: nextCursor },
        search.signal
      );
      if (search === this.#search) {
        this.#replace(withMore(this.#state, page));
      }
    } catch (error) {
      if (search === this.#search && !isAbort(error)) {
        this.#set({ loadingMore: false, problem: asProblem(error) });
      }
    }
  }

  select(simIds: Iterable<string>): void {
    this.#set({ selected: new Set(simIds) });
  }

  toggle(simId: string): void {
    const selected = new Set(this.#state.selected);
    if (!selected.delete(simId)) {
      selected.add(simId);
    }
    this.#set({ selected });
  }

  open(run: SimulationMetadata): void {
    this.#set({ opened: run });
  }

  close(): void {
    this.#set({ opened: null });
  }

  /** Move a run to the trash. */
  async remove(simId: string): Promise<SimulationMetadata> {
    const removed = await this.transport.remove(simId);
    this.#replace(withRemoved(this.#state, simId));
    this.#outdate();
    return removed;
  }

  async restore(simId: string): Promise<void> {
    await this.transport.restore(simId);
    await this.reload();
  }

  async changeTags(change: TagChange): Promise<void> {
    this.changed(await this.transport.changeTags(change));
  }

  /** Take over newer metadata that an answer brought. */
  changed(runs: readonly SimulationMetadata[]): void {
    this.#replace(withChanged(this.#state, runs));
    this.#outdate();
  }

  async #lookAgain(): Promise<void> {
    const { query, answered, searching, loadingMore } = this.#state;
    if (query === answered && !searching && !loadingMore) {
      try {
        await this.#load({ quietly: true });
      } catch {
        // The state tells of it.
      }
    }
  }

  /** After a change, pages asked for before it would bring the old state back. */
  #outdate(): void {
    this.#lastPage = null;
    if (this.#loading) {
      void this.reload();
    }
  }

  #newSearch(): AbortController {
    this.#search?.abort();
    this.#search = new AbortController();
    return this.#search;
  }

  async #load({ quietly = false } = {}): Promise<void> {
    clearTimeout(this.#timer);
    const search = this.#newSearch();
    const query = this.#state.query;
    this.#loading = true;
    if (!quietly) {
      this.#set({ searching: true, loadingMore: false });
    }
    try {
      if (this.#state.health === null || this.#state.problem !== null) {
        const health = await this.transport.health(search.signal);
        if (search !== this.#search) {
          return;
        }
        this.#set({ health });
      }
      const page = await this.transport.search({ query, limit: this.#pageSize }, search.signal);
      if (search !== this.#search) {
        return;
      }
      if (page === this.#lastPage && query === this.#state.answered) {
        this.#set({ searching: false, phase: 'ready', problem: null });
        return;
      }
      const wanted = query === this.#state.answered ? this.#state.items.length : 0;
      this.#lastPage = page;
      this.#replace(withPage(this.#state, query, page));
      await this.#fill(wanted, search);
    } catch (error) {
      if (search !== this.#search || isAbort(error)) {
        return;
      }
      const problem = asProblem(error);
      this.#lastPage = null;
      this.#set({ searching: false, loadingMore: false, phase: 'failed', problem });
      throw problem;
    } finally {
      if (search === this.#search) {
        this.#loading = false;
      }
    }
  }

  /** After a change, list again as many runs as the user had scrolled through. */
  async #fill(wanted: number, search: AbortController): Promise<void> {
    let { items, nextCursor, answered } = this.#state;
    while (items.length < wanted && nextCursor !== null) {
      const page = await this.transport.search(
        { query: answered, limit: this.#pageSize, cursor: nextCursor },
        search.signal
      );
      if (search !== this.#search) {
        return;
      }
      this.#replace(withMore(this.#state, page));
      ({ items, nextCursor, answered } = this.#state);
    }
  }

  #set(change: Partial<LibraryState>): void {
    this.#replace({ ...this.#state, ...change });
  }

  #replace(state: LibraryState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }
}
