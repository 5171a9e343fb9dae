import type {
  Comparison,
  ComparisonType,
  Health,
  SearchPage,
  SimulationDocuments,
  SimulationMetadata,
  TagChange,
  TagCount,
  TimeAlignment
} from './model';

export interface SearchRequest {
  query: string;
  limit: number;
  cursor?: string;
}

/** All that the sidebar asks of the library. Every call rejects with a `Problem`. */
export interface LibraryTransport {
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
