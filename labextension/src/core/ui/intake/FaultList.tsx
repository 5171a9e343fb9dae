import type { ReactElement } from 'react';
import type { ImportOutcome } from '../../model';
import { formatCount } from '../../format';
import { useTrans, type Trans } from '../../trans';

type Fault = ImportOutcome['faults'][number];

interface FaultListProps {
  runs: readonly { path: string; faults: readonly Fault[] }[];
}

/** Runs that were refused, each with every fault. */
export function FaultList({ runs }: FaultListProps): ReactElement | null {
  const trans = useTrans();
  if (runs.length === 0) {
    return null;
  }
  return (
    <details className="jp-ape-Intake-faults">
      <summary>{trans._n('%1 run was refused', '%1 runs were refused', runs.length)}</summary>
      <ul>
        {runs.map(run => (
          <li key={run.path}>
            <span>{run.path}</span>
            <ul>
              {run.faults.map((fault, index) => (
                <li key={index}>{faultText(fault, trans)}</li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </details>
  );
}

function faultText(fault: Fault, trans: Trans): string {
  const place =
    fault.column === null ? fault.file : trans.__('%1, column %2', fault.file, fault.column);
  const rows =
    fault.rows === null
      ? ''
      : ` (${trans._n('%2 row', '%2 rows', fault.rows, formatCount(fault.rows))})`;
  return `${place}: ${fault.problem}${rows}`;
}
