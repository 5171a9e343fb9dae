import { useEffect, useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { formatAge, formatTime } from '../format';
import { useHost } from '../host';
import type { SimulationMetadata } from '../model';
import { asProblem } from '../problem';
import type { LibraryStore } from '../state/libraryStore';
import { useTrans } from '../trans';
import { Button, IconButton } from './Button';
import { Notice } from './Notice';
import { RunDocuments } from './RunDocuments';
import { RunFacts } from './RunFacts';
import { RunFigures } from './RunFigures';
import { TagEditor } from './TagEditor';

interface RunDetailProps {
  store: LibraryStore;
  run: SimulationMetadata;
}

/** Everything known about one run, without its results. */
export function RunDetail({ store, run }: RunDetailProps): ReactElement {
  const trans = useTrans();
  const host = useHost();
  const heading = useRef<HTMLHeadingElement>(null);
  const [removing, setRemoving] = useState(false);
  useEffect(() => heading.current?.focus(), []);

  const pressKey = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      store.close();
    }
  };

  const remove = async (): Promise<void> => {
    setRemoving(true);
    try {
      const removed = await store.remove(run.sim_id);
      host.removed(removed, () => store.restore(run.sim_id));
    } catch (error) {
      setRemoving(false);
      host.failed(trans.__('%1 was not deleted', run.name), asProblem(error).message);
    }
  };

  return (
    // Escape leads back from anywhere inside.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section
      className="jp-ape-Detail"
      aria-label={trans.__('Run %1', run.name)}
      onKeyDown={pressKey}
    >
      <header className="jp-ape-Detail-head">
        <IconButton
          label={trans.__('Back to the list')}
          icon="back"
          onClick={() => store.close()}
        />
        <h2 ref={heading} tabIndex={-1} title={run.name}>
          {run.name}
        </h2>
      </header>
      <div className="jp-ape-Detail-body">
        <p className="jp-ape-Detail-lead">
          {run.protocol_name || trans.__('no protocol')}
          {run.protocol_version && ` ${run.protocol_version}`}
          <span aria-hidden="true"> · </span>
          <time dateTime={run.created_at} title={formatTime(run.created_at)}>
            {formatAge(run.created_at)}
          </time>
        </p>
        {run.status === 'quarantined' && (
          <Notice title={trans.__('The files of this run are damaged')} tone="error" compact>
            <p>
              {trans.__(
                'They differ from what was registered, so the run can not be opened. Import it again from its source.'
              )}
            </p>
          </Notice>
        )}
        <div className="jp-ape-Detail-actions">
          <Button
            label={trans.__('Insert code')}
            icon="code"
            variant="primary"
            title={trans.__('Insert code that opens this run into the notebook')}
            onClick={() => host.insertCode([run.sim_id])}
          />
          <Button
            label={trans.__('Compare…')}
            icon="compare"
            title={trans.__('Choose the runs to compare this one with')}
            onClick={() => {
              store.select([run.sim_id]);
              store.close();
            }}
          />
        </div>
        <RunFigures run={run} />
        <h3>{trans.__('Tags')}</h3>
        <TagEditor
          run={run}
          transport={store.transport}
          onChange={change => store.changeTags(change)}
        />
        {run.notes && (
          <>
            <h3>{trans.__('Notes')}</h3>
            <p className="jp-ape-Detail-notes">{run.notes}</p>
          </>
        )}
        <h3>{trans.__('About this run')}</h3>
        <RunFacts run={run} />
        <RunDocuments simId={run.sim_id} transport={store.transport} />
        <div className="jp-ape-Detail-actions">
          <Button
            label={removing ? trans.__('Deleting…') : trans.__('Delete')}
            icon="trash"
            variant="danger"
            disabled={removing}
            title={trans.__('Move this run to the trash; it can be restored')}
            onClick={() => void remove()}
          />
        </div>
      </div>
    </section>
  );
}
