import { vi } from 'vitest';
import type {
  Health,
  Host,
  ImportOutcome,
  Job,
  LibraryTransport,
  SearchPage,
  SearchRequest,
  SimulationDocuments,
  SimulationMetadata,
  TagChange,
  TagCount,
  WatchState
} from '../src/core';

export function makeRun(change: Partial<SimulationMetadata> = {}): SimulationMetadata {
  return {
    sim_id: 'sim_20260102_030405_02-00_calm-river',
    name: 'calm-river',
    created_at: '2026-01-02T03:04:05+00:00',
    registered_at: '2026-01-03T03:04:05+00:00',
    last_accessed: null,
    access_count: 0,
    n_patients: 1900,
    n_patients_requested: 2000,
    n_patients_without_visits: 600,
    n_visits: 25_000,
    duration_years: 2,
    start_date: '2024-01-01T00:00:00+00:00',
    protocol_name: 'Treat and extend',
    protocol_version: '1.0',
    protocol_digest: 'd1',
    engine_type: 'abs',
    model_type: 'visit_based',
    seed: 42,
    runtime_seconds: 3.5,
    file_size_mb: 1.5,
    checksum: '0123456789abcdef0123456789abcdef',
    tags: ['baseline'],
    notes: '',
    owner: 'ada',
    visibility: 'private',
    source: 'imported',
    status: 'available',
    is_pinned: false,
    revision: 1,
    schema_version: '2.0.0',
    parent: null,
    has_costs: false,
    has_resources: false,
    headline: { mean_final_vision: 57.25, total_injections: 9100, discontinuation_rate: 0.125 },
    ...change
  };
}

export function makeRuns(count: number, prefix = 'run'): SimulationMetadata[] {
  return Array.from({ length: count }, (_, index) =>
    makeRun({ sim_id: `sim_${prefix}_${index}`, name: `${prefix}-${index}`, tags: [] })
  );
}

export function page(items: SimulationMetadata[], change: Partial<SearchPage> = {}): SearchPage {
  return {
    items,
    total: items.length,
    next_cursor: null,
    facets: [],
    highlights: [],
    corrected_query: null,
    ...change
  };
}

export const HEALTH: Health = {
  status: 'ok',
  version: '0.1.0',
  api_version: 1,
  library: {
    location: '/data/library',
    n_simulations: 3,
    revision: 7,
    file_system: { fs_type: 'ext4', mount_point: '/', is_local: true }
  },
  features: {
    kernel_access: true,
    path_imports: true,
    uploads: true,
    shared_cache: true,
    file_watching: true
  }
};

export function makeJob(change: Partial<Job> = {}): Job {
  return {
    job_id: 'j1',
    path: '/data/ape/results',
    state: 'running',
    started_at: '2026-01-03T03:04:05+00:00',
    done: 0,
    total: 0,
    current: '',
    rows_done: 0,
    rows_total: 0,
    outcomes: [],
    error: null,
    ...change
  };
}

export function makeOutcome(change: Partial<ImportOutcome> = {}): ImportOutcome {
  return { path: '/p', status: 'imported', metadata: makeRun(), faults: [], ...change };
}

export function makeWatch(change: Partial<WatchState> = {}): WatchState {
  return {
    watch_id: 'w1',
    folder: '/data/ape/results',
    tags: [],
    copy: true,
    settle_seconds: 5,
    is_configured: false,
    is_followed: true,
    last_scan: '2026-01-03T03:04:05+00:00',
    n_taken_in: 0,
    n_waiting: 0,
    n_broken: 0,
    broken: [],
    recent: [],
    problem: null,
    ...change
  };
}

export const DOCUMENTS: SimulationDocuments = {
  protocol: {
    name: 'Treat and extend',
    version: '1.0',
    digest: 'd1',
    parameters: { min_interval_days: 28, loading: { injections: 3 } }
  },
  parameters: {},
  audit_log: [
    { event: 'simulation_start', timestamp: '2026-01-02T03:04:05+00:00', data: { seed: 42 } }
  ],
  resource_config: {},
  original_metadata: null
};

/** A library in memory, whose every answer a test can replace. */
export class FakeTransport implements LibraryTransport {
  health = vi.fn(async (): Promise<Health> => HEALTH);
  search = vi.fn(async (_request: SearchRequest, _signal?: AbortSignal): Promise<SearchPage> =>
    page([])
  );
  metadata = vi.fn(async (simId: string) => makeRun({ sim_id: simId }));
  documents = vi.fn(async (): Promise<SimulationDocuments> => DOCUMENTS);
  remove = vi.fn(async (simId: string) => makeRun({ sim_id: simId, status: 'trashed' }));
  restore = vi.fn(async (simId: string) => makeRun({ sim_id: simId }));
  tags = vi.fn(async (): Promise<TagCount[]> => [
    { tag: 'paper', count: 2, total: 2, colour: null }
  ]);
  changeTags = vi.fn(async (_change: TagChange): Promise<SimulationMetadata[]> => []);
  imports = vi.fn(async (_signal?: AbortSignal): Promise<Job[]> => []);
  importJob = vi.fn(async (jobId: string): Promise<Job> => makeJob({ job_id: jobId }));
  startImport = vi.fn(async (path: string): Promise<Job> => makeJob({ path }));
  cancelImport = vi.fn(async (jobId: string): Promise<Job> => makeJob({ job_id: jobId }));
  upload = vi.fn(async (_file: Blob, _signal?: AbortSignal): Promise<ImportOutcome> =>
    makeOutcome()
  );
  watches = vi.fn(async (_signal?: AbortSignal): Promise<WatchState[]> => []);
  watchFolder = vi.fn(async (folder: string): Promise<WatchState> => makeWatch({ folder }));
  stopWatch = vi.fn(async (watchId: string): Promise<WatchState> =>
    makeWatch({ watch_id: watchId })
  );
}

export function fakeHost(): { [K in keyof Host]: ReturnType<typeof vi.fn<Host[K]>> } {
  return {
    insertCode: vi.fn(),
    compare: vi.fn(),
    copy: vi.fn(),
    removed: vi.fn(),
    failed: vi.fn(),
    startDrag: vi.fn()
  };
}

export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: unknown) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
