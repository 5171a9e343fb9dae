import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement } from 'react';
import type { Health } from '../../model';
import type { IntakeStore } from '../../state/intakeStore';
import { useTrans } from '../../trans';
import { Button } from '../Button';

interface PathFormProps {
  label: string;
  action: string;
  /** Resolves to whether it worked; then the form is closed. */
  onPath: (path: string) => Promise<boolean>;
  onClose: () => void;
}

function PathForm({ label, action, onPath, onClose }: PathFormProps): ReactElement {
  const trans = useTrans();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [path, setPath] = useState('');
  const [busy, setBusy] = useState(false);
  useEffect(() => input.current?.focus(), []);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const worked = await onPath(path.trim());
    if (!worked) {
      setBusy(false);
      input.current?.focus();
    }
  };

  return (
    <form className="jp-ape-Intake-form" onSubmit={event => void submit(event)}>
      <label htmlFor={id}>{label}</label>
      <input
        ref={input}
        id={id}
        className="jp-ape-Input"
        value={path}
        spellCheck={false}
        autoComplete="off"
        placeholder="/data/ape/simulation_results"
        onChange={event => setPath(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            onClose();
          }
        }}
      />
      <div className="jp-ape-Intake-actions">
        <Button
          type="submit"
          label={action}
          variant="primary"
          disabled={busy || path.trim() === ''}
        />
        <Button label={trans.__('Close')} onClick={onClose} />
      </div>
    </form>
  );
}

interface ImportFormProps {
  store: IntakeStore;
  features: Health['features'];
}

export function ImportForm({ store, features }: ImportFormProps): ReactElement {
  const trans = useTrans();
  const file = useId();
  return (
    <>
      {features.path_imports && (
        <PathForm
          label={trans.__('Results directory, folder of them, or package on the server')}
          action={trans.__('Import')}
          onPath={path => store.startImport(path)}
          onClose={() => store.showForm(null)}
        />
      )}
      {features.uploads && (
        <div className="jp-ape-Intake-form">
          <label htmlFor={file}>{trans.__('Package (.zip) on this computer')}</label>
          <input
            id={file}
            type="file"
            accept=".zip,application/zip"
            onChange={event => {
              const [chosen] = event.target.files ?? [];
              if (chosen !== undefined) {
                void store.upload(chosen);
              }
            }}
          />
        </div>
      )}
    </>
  );
}

export function WatchForm({ store }: { store: IntakeStore }): ReactElement {
  const trans = useTrans();
  return (
    <PathForm
      label={trans.__('Folder on the server whose runs come in as APE writes them')}
      action={trans.__('Watch')}
      onPath={folder => store.watchFolder(folder)}
      onClose={() => store.showForm(null)}
    />
  );
}
