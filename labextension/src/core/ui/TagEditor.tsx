import { useCallback, useId, useRef, useState, type FormEvent, type ReactElement } from 'react';
import type { SimulationMetadata, TagChange } from '../model';
import { asProblem, type Problem } from '../problem';
import { useAnswer } from '../state/hooks';
import type { LibraryTransport } from '../transport';
import { useTrans } from '../trans';
import { Button, IconButton } from './Button';
import { ErrorNotice } from './Notice';

interface TagEditorProps {
  run: SimulationMetadata;
  transport: LibraryTransport;
  onChange: (change: TagChange) => Promise<void>;
}

/** The tags of a run; each can go, and new ones come with suggestions from the library. */
export function TagEditor({ run, transport, onChange }: TagEditorProps): ReactElement {
  const trans = useTrans();
  const suggestions = useId();
  const input = useRef<HTMLInputElement>(null);
  const [draft, setDraft] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { value: known } = useAnswer(useCallback(signal => transport.tags(signal), [transport]));

  const change = async (edit: Pick<TagChange, 'add' | 'remove'>): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await onChange({ sim_ids: [run.sim_id], ...edit });
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      setBusy(false);
    }
  };

  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const tags = draft
      .split(',')
      .map(tag => tag.trim())
      .filter(tag => tag !== '' && !run.tags.includes(tag));
    if (tags.length === 0 || (await change({ add: tags }))) {
      setDraft('');
    }
    input.current?.focus();
  };

  const remove = async (tag: string): Promise<void> => {
    await change({ remove: [tag] });
    // The button that had the focus is gone with its tag.
    input.current?.focus();
  };

  return (
    <div className="jp-ape-TagEditor" aria-busy={busy}>
      {run.tags.length > 0 && (
        <ul className="jp-ape-Tags" aria-label={trans.__('Tags of this run')}>
          {run.tags.map(tag => (
            <li key={tag} className="jp-ape-Tag jp-ape-mod-removable">
              <span>{tag}</span>
              <IconButton
                label={trans.__('Remove the tag %1', tag)}
                icon="clear"
                disabled={busy}
                onClick={() => void remove(tag)}
              />
            </li>
          ))}
        </ul>
      )}
      <form className="jp-ape-TagEditor-form" onSubmit={event => void add(event)}>
        <input
          ref={input}
          className="jp-ape-Input"
          value={draft}
          list={suggestions}
          placeholder={trans.__('Add a tag')}
          aria-label={trans.__('Add a tag')}
          onChange={event => setDraft(event.target.value)}
        />
        <datalist id={suggestions}>
          {known
            ?.filter(({ tag }) => !run.tags.includes(tag))
            .map(({ tag, count }) => (
              <option key={tag} value={tag}>
                {trans._n('%2 run', '%2 runs', count, count)}
              </option>
            ))}
        </datalist>
        <Button
          type="submit"
          label={trans.__('Add')}
          icon="plus"
          disabled={busy || draft.trim() === ''}
        />
      </form>
      {problem !== null && <ErrorNotice problem={problem} compact />}
    </div>
  );
}
