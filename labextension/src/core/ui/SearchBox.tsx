import { forwardRef, type KeyboardEvent, type ReactElement } from 'react';
import { useTrans } from '../trans';
import { IconButton } from './Button';
import { Icon } from './icons';

interface SearchBoxProps {
  query: string;
  busy: boolean;
  onQuery: (query: string) => void;
  onClear: () => void;
  /** The focus goes down into what was found. */
  onDown: () => void;
}

export const SearchBox = forwardRef<HTMLInputElement, SearchBoxProps>(function SearchBox(
  { query, busy, onQuery, onClear, onDown },
  ref
): ReactElement {
  const trans = useTrans();
  const pressKey = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') {
      event.preventDefault();
      onDown();
    } else if (event.key === 'Escape' && query !== '') {
      event.preventDefault();
      event.stopPropagation();
      onClear();
    }
  };
  return (
    <div className={`jp-ape-SearchBox${busy ? ' jp-ape-mod-busy' : ''}`} role="search">
      <Icon name="search" />
      <input
        ref={ref}
        type="text"
        value={query}
        placeholder={trans.__('Search name, protocol, tag, …')}
        aria-label={trans.__('Search simulation runs')}
        autoComplete="off"
        spellCheck={false}
        onChange={event => onQuery(event.target.value)}
        onKeyDown={pressKey}
      />
      {query !== '' && (
        <IconButton label={trans.__('Clear the search')} icon="clear" onClick={onClear} />
      )}
    </div>
  );
});
