import { useMemo, useState, type ReactElement } from 'react';
import { comparisonGrid, type ComparisonGrid, type Estimate } from '../../comparisonTable';
import { NONE, formatCount, formatDay, formatLetters, formatShare } from '../../format';
import type { Comparison } from '../../model';
import { useTrans, type Trans } from '../../trans';

const SHARE = 'share of patients';

/** The numbers behind the figure, on demand. */
export function ComparisonTable({ comparison }: { comparison: Comparison }): ReactElement {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  return (
    <details
      className="jp-ape-Comparison-data"
      open={open}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Show the numbers as a table')}</summary>
      {open && <Table comparison={comparison} />}
    </details>
  );
}

function Table({ comparison }: { comparison: Comparison }): ReactElement {
  const trans = useTrans();
  const grid = useMemo(() => comparisonGrid(comparison), [comparison]);
  const names = new Map(comparison.runs.map(run => [run.sim_id, run.name]));
  const nameOf = (simId: string): string => names.get(simId) ?? simId;
  const { comparison_type, confidence, reference } = comparison.request;
  const level = Math.round(confidence * 100);
  const metric = comparison.metrics[0];
  const [label, unit] = [metric?.label ?? '', metric?.unit ?? ''];
  const caption =
    comparison_type === 'difference'
      ? trans.__(
          '%1: difference to %2, %3, with %4% interval',
          label,
          nameOf(reference),
          unit,
          level
        )
      : trans.__('%1, %2, with %3% interval', label, unit, level);
  const format = unit === SHARE ? formatShare : formatLetters;
  return (
    // It scrolls, so the keyboard must reach it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="jp-ape-Comparison-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{timeHeading(grid, trans)}</th>
            {grid.simIds.map(simId => (
              <th key={simId} scope="col" title={simId}>
                {nameOf(simId)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {grid.rows.map(({ x, state, estimates }) => (
            <tr key={`${x} ${state}`}>
              <th scope="row">
                {timeText(grid, x)} {state}
              </th>
              {estimates.map((estimate, column) => (
                <td key={grid.simIds[column]}>{estimateText(estimate, format, trans)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function timeHeading({ alignment }: ComparisonGrid, trans: Trans): string {
  return {
    relative: trans.__('Days since enrolment'),
    absolute: trans.__('Date'),
    normalized: trans.__('Share of the run')
  }[alignment];
}

function timeText({ alignment }: ComparisonGrid, x: string | number): string {
  if (typeof x === 'string') {
    return formatDay(x);
  }
  return alignment === 'normalized' ? formatShare(x) : formatCount(x);
}

function estimateText(
  estimate: Estimate | null,
  format: (value: number) => string,
  trans: Trans
): string {
  if (estimate === null || estimate.value === null) {
    return NONE;
  }
  const { value, low, high } = estimate;
  return low === null || high === null
    ? format(value)
    : trans.__('%1 (%2 to %3)', format(value), format(low), format(high));
}
