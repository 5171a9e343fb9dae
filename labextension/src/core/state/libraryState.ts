import type { Health, SearchPage, SimulationMetadata } from '../model';
import type { Problem } from '../problem';

/** What the sidebar shows. Replaced as a whole by every change, never mutated. */
export interface LibraryState {
  /** What stands in the search box. */
  readonly query: string;
  /** The query that `items` answer. */
  readonly answered: string;
  readonly items: readonly SimulationMetadata[];
  readonly total: number;
  readonly nextCursor: string | null;
  readonly phase: 'loading' | 'ready' | 'failed';
  /** Why the last attempt failed; with items there, they are the last ones known. */
  readonly problem: Problem | null;
  readonly searching: boolean;
  readonly loadingMore: boolean;
  readonly selected: ReadonlySet<string>;
  readonly opened: SimulationMetadata | null;
  readonly health: Health | null;
}

export const INITIAL_STATE: LibraryState = {
  query: '',
  answered: '',
  items: [],
  total: 0,
  nextCursor: null,
  phase: 'loading',
  problem: null,
  searching: false,
  loadingMore: false,
  selected: new Set(),
  opened: null,
  health: null
};

/** The answer to a new search replaces everything that the old one listed. */
export function withPage(state: LibraryState, query: string, page: SearchPage): LibraryState {
  const replaced: LibraryState = {
    ...state,
    answered: query,
    items: page.items,
    total: page.total,
    nextCursor: page.next_cursor,
    phase: 'ready',
    problem: null,
    searching: false
  };
  return { ...withOpenedFrom(replaced, page.items), selected: stillListed(replaced) };
}

export function withMore(state: LibraryState, page: SearchPage): LibraryState {
  const known = new Set(state.items.map(run => run.sim_id));
  return {
    ...state,
    // A run registered meanwhile shifts the pages; no run is listed twice for that.
    items: [...state.items, ...page.items.filter(run => !known.has(run.sim_id))],
    total: page.total,
    nextCursor: page.next_cursor,
    loadingMore: false,
    problem: null
  };
}

/** Newer metadata of some runs, wherever they are shown. */
export function withChanged(
  state: LibraryState,
  changed: readonly SimulationMetadata[]
): LibraryState {
  const byId = new Map(changed.map(run => [run.sim_id, run]));
  const items = state.items.map(run => byId.get(run.sim_id) ?? run);
  return withOpenedFrom({ ...state, items }, changed);
}

export function withRemoved(state: LibraryState, simId: string): LibraryState {
  const items = state.items.filter(run => run.sim_id !== simId);
  const removed: LibraryState = {
    ...state,
    items,
    total: Math.max(0, state.total - (state.items.length - items.length)),
    opened: state.opened?.sim_id === simId ? null : state.opened
  };
  return { ...removed, selected: stillListed(removed) };
}

function withOpenedFrom(state: LibraryState, runs: readonly SimulationMetadata[]): LibraryState {
  const newer = runs.find(run => run.sim_id === state.opened?.sim_id);
  return newer === undefined ? state : { ...state, opened: newer };
}

function stillListed(state: LibraryState): ReadonlySet<string> {
  const listed = new Set(state.items.map(run => run.sim_id));
  return new Set([...state.selected].filter(simId => listed.has(simId)));
}
