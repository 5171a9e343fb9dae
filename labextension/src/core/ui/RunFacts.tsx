import { Fragment, type ReactElement, type ReactNode } from 'react';
import {
  NONE,
  formatCount,
  formatDay,
  formatMegabytes,
  formatSeconds,
  formatTime,
  formatYears
} from '../format';
import { useHost } from '../host';
import type { SimulationMetadata } from '../model';
import { useTrans } from '../trans';
import { IconButton } from './Button';

const SHORT_CHECKSUM = 12;

/** What the registry knows of a run, as names and values. */
export function RunFacts({ run }: { run: SimulationMetadata }): ReactElement {
  const trans = useTrans();
  const source = {
    registered: trans.__('registered from a notebook or script'),
    imported: trans.__('imported, copied into the library'),
    linked: trans.__('linked, stays where it is')
  }[run.source];
  const extras = [
    run.has_costs ? trans.__('costs') : null,
    run.has_resources ? trans.__('resources') : null
  ].filter(extra => extra !== null);

  const facts: [string, ReactNode][] = [
    [trans.__('Id'), <Copyable key="id" text={run.sim_id} label={trans.__('Copy the id')} />],
    [trans.__('Patients'), <Patients key="patients" run={run} />],
    [trans.__('Visits'), formatCount(run.n_visits)],
    [trans.__('Duration'), formatYears(run.duration_years, trans)],
    [trans.__('First enrolment'), formatDay(run.start_date)],
    [trans.__('Engine'), run.engine_type || NONE],
    [trans.__('Model'), run.model_type ?? NONE],
    [trans.__('Seed'), run.seed === null ? NONE : String(run.seed)],
    [trans.__('Simulated in'), formatSeconds(run.runtime_seconds, trans)],
    [trans.__('Created'), formatTime(run.created_at)],
    [trans.__('Registered'), formatTime(run.registered_at)],
    [
      trans.__('Last opened'),
      run.last_accessed === null ? trans.__('never') : formatTime(run.last_accessed)
    ],
    [trans.__('Size'), formatMegabytes(run.file_size_mb, trans)],
    [trans.__('Also has'), extras.length > 0 ? extras.join(', ') : NONE],
    [trans.__('Came by'), source],
    [trans.__('Owner'), run.owner || NONE],
    [
      trans.__('Checksum'),
      <Copyable
        key="checksum"
        text={run.checksum}
        shown={run.checksum.slice(0, SHORT_CHECKSUM)}
        label={trans.__('Copy the checksum')}
      />
    ]
  ];
  return (
    <dl className="jp-ape-Facts">
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </Fragment>
      ))}
    </dl>
  );
}

function Patients({ run }: { run: SimulationMetadata }): ReactElement {
  const trans = useTrans();
  const asides = [];
  if (run.n_patients_requested !== run.n_patients) {
    asides.push(trans.__('of %1 requested', formatCount(run.n_patients_requested)));
  }
  if (run.n_patients_without_visits > 0) {
    asides.push(trans.__('%1 without a visit', formatCount(run.n_patients_without_visits)));
  }
  return (
    <>
      {formatCount(run.n_patients)}
      {asides.length > 0 && <span className="jp-ape-Facts-aside"> {asides.join(', ')}</span>}
    </>
  );
}

interface CopyableProps {
  text: string;
  shown?: string;
  label: string;
}

function Copyable({ text, shown = text, label }: CopyableProps): ReactElement {
  const host = useHost();
  return (
    <span className="jp-ape-Copyable">
      <code title={text}>{shown}</code>
      <IconButton label={label} icon="copy" onClick={() => host.copy(text)} />
    </span>
  );
}
