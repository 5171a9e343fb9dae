import type { ReactElement } from 'react';
import { useTrans } from '../trans';
import { Button } from './Button';
import { CommandLine } from './CommandLine';
import { Notice } from './Notice';

export function EmptyLibrary({ location }: { location: string | null }): ReactElement {
  const trans = useTrans();
  return (
    <Notice title={trans.__('No runs yet')}>
      <p>
        {location === null
          ? trans.__('This library is empty.')
          : trans.__('The library at %1 is empty.', location)}
      </p>
      <p>
        {trans.__(
          'Import a results directory of APE, a folder of them, or a package, with the button above, in a terminal:'
        )}
      </p>
      <CommandLine text="ape-jupyter import PATH" />
      <p>{trans.__('or in a notebook:')}</p>
      <CommandLine text={'ape.connect().import_results("PATH")'} />
      <p>{trans.__('They appear here by themselves.')}</p>
    </Notice>
  );
}

export function NoMatch({ query, onClear }: { query: string; onClear: () => void }): ReactElement {
  const trans = useTrans();
  return (
    <Notice title={trans.__('No run matches “%1”', query.trim())}>
      <p>
        {trans.__(
          'Every word must be in the name, protocol, engine, model, owner, notes or a tag. Try fewer or shorter words.'
        )}
      </p>
      <Button label={trans.__('Clear the search')} icon="clear" onClick={onClear} />
    </Notice>
  );
}
