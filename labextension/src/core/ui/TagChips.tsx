import type { ReactElement } from 'react';
import { useTrans } from '../trans';

const SHOWN_AT_MOST = 3;

export function TagChips({ tags }: { tags: readonly string[] }): ReactElement | null {
  const trans = useTrans();
  if (tags.length === 0) {
    return null;
  }
  // Where some are left out, their number takes the place of one more.
  const shown = tags.length > SHOWN_AT_MOST ? SHOWN_AT_MOST - 1 : SHOWN_AT_MOST;
  const hidden = tags.slice(shown);
  return (
    <div className="jp-ape-Tags">
      <span className="jp-ape-visually-hidden">{trans.__('Tags:')}</span>
      {tags.slice(0, shown).map(tag => (
        <span key={tag} className="jp-ape-Tag" title={tag}>
          {tag}
        </span>
      ))}
      {hidden.length > 0 && (
        <span className="jp-ape-Tag jp-ape-mod-more" title={hidden.join(', ')}>
          {trans.__('+%1', hidden.length)}
        </span>
      )}
    </div>
  );
}
