import type {
  Comparison,
  ComparisonType,
  Health,
  ImportOutcome,
  Job,
  SearchPage,
  SimulationDocuments,
  SimulationMetadata,
  TagChange,
  TagCount,
  TimeAlignment,
  WatchState
} from './model';

export interface SearchRequest {
  query: string;
  limit: number;
  cursor?: string;
}

/** How runs come into the library. Every call rejects with a `Problem`. */
export interface IntakeTransport {
  /** The imports that are not over, and the latest that are, without their outcomes. */
  imports(signal?: AbortSignal): Promise<Job[]>;
  importJob(jobId: string, signal?: AbortSignal): Promise<Job>;
  startImport(path: string): Promise<Job>;
  cancelImport(jobId: string): Promise<Job>;
  upload(file: Blob, signal?: AbortSignal): Promise<ImportOutcome>;
  watches(signal?: AbortSignal): Promise<WatchState[]>;
  watchFolder(folder: string): Promise<WatchState>;
  stopWatch(watchId: string): Promise<WatchState>;
}

/** All that the sidebar asks of the library. Every call rejects with a `Problem`. */
export interface LibraryTransport extends IntakeTransport {
  /** Two calls that find the same page unchanged may answer with the same object. */
  search(request: SearchRequest, signal?: AbortSignal): Promise<SearchPage>;
  health(signal?: AbortSignal): Promise<Health>;
  metadata(simId: string, signal?: AbortSignal): Promise<SimulationMetadata>;
  documents(simId: string, signal?: AbortSignal): Promise<SimulationDocuments>;
  remove(simId: string): Promise<SimulationMetadata>;
  restore(simId: string): Promise<SimulationMetadata>;
  tags(signal?: AbortSignal): Promise<TagCount[]>;
  changeTags(change: TagChange): Promise<SimulationMetadata[]>;
}

export interface CompareRequest {
  sim_ids: string[];
  comparison_type: ComparisonType;
  time_alignment: TimeAlignment;
  reference: string | null;
  metric: string;
  theme: 'light' | 'dark';
}

export interface ComparisonFigure {
  /** What `bokeh.embed.json_item` made; only BokehJS looks inside. */
  item: unknown;
  comparison: Comparison;
  summary: string;
}

/** What a comparison asks of whoever computes it. */
export interface ComparisonTransport {
  compare(request: CompareRequest, signal?: AbortSignal): Promise<ComparisonFigure>;
}
