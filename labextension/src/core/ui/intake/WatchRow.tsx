import type { ReactElement } from 'react';
import { formatCount } from '../../format';
import type { WatchState } from '../../model';
import { useTrans, type Trans } from '../../trans';
import { IconButton } from '../Button';
import { Icon } from '../icons';
import { FaultList } from './FaultList';
import { nameOf } from './ImportRows';

interface WatchRowProps {
  watch: WatchState;
  onStop: () => void;
}

/** A folder that is followed, and how that goes. */
export function WatchRow({ watch, onStop }: WatchRowProps): ReactElement {
  const trans = useTrans();
  const name = nameOf(watch.folder);
  const isBad = watch.problem !== null || watch.n_broken > 0;
  return (
    <li className={`jp-ape-Intake-row${isBad ? ' jp-ape-mod-warning' : ''}`}>
      <div className="jp-ape-Intake-head">
        <Icon name="eye" />
        <span className="jp-ape-Intake-name" title={watch.folder}>
          {trans.__('Watching %1', name)}
        </span>
        {!watch.is_configured && (
          <IconButton label={trans.__('Stop watching %1', name)} icon="clear" onClick={onStop} />
        )}
      </div>
      <div className="jp-ape-Intake-text">{watch.problem ?? watchText(watch, trans)}</div>
      <FaultList runs={watch.broken} />
    </li>
  );
}

function watchText(watch: WatchState, trans: Trans): string {
  if (!watch.is_followed) {
    return trans.__('Rests: this server does not follow folders.');
  }
  const parts = [trans.__('%1 taken in', formatCount(watch.n_taken_in))];
  if (watch.n_waiting > 0) {
    parts.push(trans.__('%1 not complete yet', formatCount(watch.n_waiting)));
  }
  return parts.join(', ');
}
