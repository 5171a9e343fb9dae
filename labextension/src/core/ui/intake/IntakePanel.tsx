import { useSyncExternalStore, type ReactElement } from 'react';
import type { Health } from '../../model';
import type { IntakeState, IntakeStore } from '../../state/intakeStore';
import { useTrans } from '../../trans';
import { IconButton } from '../Button';
import { ErrorNotice } from '../Notice';
import { EndedRow, JobRow, UploadRow } from './ImportRows';
import { ImportForm, WatchForm } from './IntakeForms';
import { WatchRow } from './WatchRow';

interface IntakeProps {
  store: IntakeStore;
  /** What the server has switched on; null before it is known. */
  features: Health['features'] | null;
}

function useIntakeState(store: IntakeStore): IntakeState {
  return useSyncExternalStore(store.subscribe, store.getState);
}

/** The buttons that open the forms. */
export function IntakeButtons({ store, features }: IntakeProps): ReactElement {
  const trans = useTrans();
  const { form } = useIntakeState(store);
  const toggle = (wanted: 'import' | 'watch'): void =>
    store.showForm(form === wanted ? null : wanted);
  return (
    <>
      {(features?.path_imports || features?.uploads) && (
        <IconButton
          label={trans.__('Import…')}
          icon="plus"
          aria-expanded={form === 'import'}
          onClick={() => toggle('import')}
        />
      )}
      {features?.path_imports && features.file_watching && (
        <IconButton
          label={trans.__('Watch a folder…')}
          icon="eye"
          aria-expanded={form === 'watch'}
          onClick={() => toggle('watch')}
        />
      )}
    </>
  );
}

/** What is coming in: the forms, imports that run or have just ended, and followed folders. */
export function IntakePanel({ store, features }: IntakeProps): ReactElement | null {
  const trans = useTrans();
  const { form, running, uploading, ended, watches, problem } = useIntakeState(store);
  const hasRows = running.length + ended.length > 0 || uploading !== null;
  if (form === null && !hasRows && watches.length === 0 && problem === null) {
    return null;
  }
  return (
    <section className="jp-ape-Intake" aria-label={trans.__('Runs that come in')}>
      {form === 'import' && features !== null && <ImportForm store={store} features={features} />}
      {form === 'watch' && <WatchForm store={store} />}
      {problem !== null && <ErrorNotice problem={problem} compact />}
      {hasRows && (
        <ul aria-label={trans.__('Imports')} aria-live="polite" aria-relevant="additions">
          {uploading !== null && (
            <UploadRow name={uploading} onCancel={() => store.cancelUpload()} />
          )}
          {running.map(job => (
            <JobRow
              key={job.job_id}
              job={job}
              onCancel={() => void store.cancelImport(job.job_id)}
            />
          ))}
          {ended.map(item => (
            <EndedRow key={item.key} item={item} onDismiss={() => store.dismiss(item.key)} />
          ))}
        </ul>
      )}
      {watches.length > 0 && (
        <ul aria-label={trans.__('Folders that are followed')}>
          {watches.map(watch => (
            <WatchRow
              key={watch.watch_id}
              watch={watch}
              onStop={() => void store.stopWatch(watch.watch_id)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}
