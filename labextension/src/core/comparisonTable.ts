import type { Comparison, TimeAlignment } from './model';

type Cell = string | number | null;
type Columns = Readonly<Record<string, readonly Cell[]>>;

export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface ComparisonRow {
  readonly x: string | number;
  /** Empty for a metric that has no states. */
  readonly state: string;
  /** One per column of the table; null where a run has nothing at this time. */
  readonly estimates: readonly (Estimate | null)[];
}

export interface ComparisonGrid {
  /** The runs that head the columns. */
  readonly simIds: readonly string[];
  readonly rows: readonly ComparisonRow[];
  readonly alignment: TimeAlignment;
}

const numberOf = (cell: Cell | undefined): number | null =>
  typeof cell === 'number' ? cell : null;

/** The long table of a comparison as one row per time and one column per run. */
export function comparisonGrid(comparison: Comparison): ComparisonGrid {
  const { comparison_type, sim_ids, reference, time_alignment, metrics } = comparison.request;
  const difference = comparison_type === 'difference';
  const columns: Columns = difference ? comparison.differences : comparison.series;
  const runOf = (difference ? columns['comparator'] : columns['sim_id']) ?? [];
  const valueOf = (difference ? columns['difference'] : columns['mean']) ?? [];
  const simIds = difference ? sim_ids.filter(simId => simId !== reference) : sim_ids;
  const position = new Map(simIds.map((simId, index) => [simId, index]));

  const byTime = new Map<string, ComparisonRow & { estimates: (Estimate | null)[] }>();
  runOf.forEach((simId, row) => {
    const column = position.get(String(simId));
    const x = columns['x']?.[row];
    if (column === undefined || x === null || x === undefined) {
      return;
    }
    if (columns['metric'] !== undefined && columns['metric'][row] !== metrics[0]) {
      return;
    }
    const state = String(columns['state']?.[row] ?? '');
    const key = `${x} ${state}`;
    const own = byTime.get(key) ?? { x, state, estimates: simIds.map(() => null) };
    byTime.set(key, own);
    own.estimates[column] = {
      value: numberOf(valueOf[row]),
      low: numberOf(columns['ci_low']?.[row]),
      high: numberOf(columns['ci_high']?.[row])
    };
  });
  const rows = [...byTime.values()].sort((a, b) => (a.x < b.x ? -1 : Number(a.x > b.x)));
  return { simIds, rows, alignment: time_alignment };
}
