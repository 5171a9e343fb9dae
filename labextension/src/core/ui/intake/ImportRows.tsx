import type { ReactElement } from 'react';
import { formatCount } from '../../format';
import type { Job } from '../../model';
import type { EndedImport } from '../../state/intakeStore';
import { useTrans, type Trans } from '../../trans';
import { IconButton } from '../Button';
import { FaultList } from './FaultList';

/** The last part of a path, whatever the server's system. */
export function nameOf(path: string): string {
  const parts = path.split(/[\\/]/).filter(part => part !== '');
  return parts[parts.length - 1] ?? path;
}

interface JobRowProps {
  job: Job;
  onCancel: () => void;
}

/** An import that runs: which run of how many, and how much of it. */
export function JobRow({ job, onCancel }: JobRowProps): ReactElement {
  const trans = useTrans();
  const name = nameOf(job.path);
  const within = job.rows_total > 0 ? job.rows_done / job.rows_total : 0;
  const text = progressText(job, trans);
  return (
    <li className="jp-ape-Intake-row">
      <div className="jp-ape-Intake-head">
        <span className="jp-ape-Intake-name" title={job.path}>
          {trans.__('Importing %1', name)}
        </span>
        <IconButton
          label={trans.__('Cancel the import of %1', name)}
          icon="clear"
          onClick={onCancel}
        />
      </div>
      <progress
        aria-label={trans.__('Importing %1', name)}
        aria-valuetext={text}
        {...(job.total > 0 ? { max: job.total, value: job.done + within } : {})}
      />
      <div className="jp-ape-Intake-text">{text}</div>
    </li>
  );
}

function progressText(job: Job, trans: Trans): string {
  if (job.total === 0) {
    return trans.__('Waiting…');
  }
  const position = Math.min(job.done + 1, job.total);
  const runs = trans.__('Run %1 of %2', formatCount(position), formatCount(job.total));
  if (job.rows_total === 0) {
    return runs;
  }
  const visits = trans.__(
    '%1 of %2 visits',
    formatCount(job.rows_done),
    formatCount(job.rows_total)
  );
  return `${runs} · ${visits}`;
}

export function UploadRow({
  name,
  onCancel
}: {
  name: string;
  onCancel: () => void;
}): ReactElement {
  const trans = useTrans();
  const text = trans.__('Uploading %1', name);
  return (
    <li className="jp-ape-Intake-row">
      <div className="jp-ape-Intake-head">
        <span className="jp-ape-Intake-name">{text}</span>
        <IconButton
          label={trans.__('Cancel the upload of %1', name)}
          icon="clear"
          onClick={onCancel}
        />
      </div>
      <progress aria-label={text} />
    </li>
  );
}

interface EndedRowProps {
  item: EndedImport;
  onDismiss: () => void;
}

/** What came of an import, with the faults of what was refused. */
export function EndedRow({ item, onDismiss }: EndedRowProps): ReactElement {
  const trans = useTrans();
  const name = nameOf(item.path);
  const refused = item.outcomes.filter(({ status }) => status === 'refused');
  const isBad = item.state !== 'finished' || refused.length > 0;
  return (
    <li className={`jp-ape-Intake-row${isBad ? ' jp-ape-mod-warning' : ''}`}>
      <div className="jp-ape-Intake-head">
        <span className="jp-ape-Intake-name" title={item.path}>
          {name}
        </span>
        <IconButton label={trans.__('Dismiss %1', name)} icon="clear" onClick={onDismiss} />
      </div>
      <div className="jp-ape-Intake-text">{resultText(item, trans)}</div>
      <FaultList runs={refused} />
    </li>
  );
}

function resultText({ state, outcomes, message }: EndedImport, trans: Trans): string {
  if (state === 'cancelled') {
    return trans.__('Cancelled; runs that were in already stay.');
  }
  if (state === 'interrupted') {
    return trans.__('Interrupted when its server ended.');
  }
  if (state === 'failed') {
    return message;
  }
  const count = (status: string): number =>
    outcomes.filter(outcome => outcome.status === status).length;
  const counts: [number, string][] = [
    [count('imported'), trans.__('imported')],
    [count('already_there'), trans.__('already there')],
    [count('refused'), trans.__('refused')]
  ];
  return counts
    .filter(([number]) => number > 0)
    .map(([number, label]) => `${formatCount(number)} ${label}`)
    .join(', ');
}
