import { memo, useRef, type MouseEvent, type ReactElement } from 'react';
import { formatAge, formatCount, formatTime, formatYears } from '../format';
import type { SimulationMetadata } from '../model';
import { useTrans } from '../trans';
import { Icon } from './icons';
import { TagChips } from './TagChips';

const DRAG_THRESHOLD_PIXELS = 5;

export interface RunRowProps {
  id: string;
  run: SimulationMetadata;
  index: number;
  total: number;
  selected: boolean;
  active: boolean;
  onClick: (index: number, event: MouseEvent) => void;
  onToggle: (index: number) => void;
  onInsert: (index: number) => void;
  onDrag: (index: number, event: globalThis.MouseEvent) => void;
}

/**
 * One run of the list. What it holds beside text are shortcuts for the mouse: an option of
 * a listbox can have no controls, and the keyboard has its own ways to all of them.
 */
export const RunRow = memo(function RunRow(props: RunRowProps): ReactElement {
  const { id, run, index, total, selected, active } = props;
  const trans = useTrans();
  const release = useRef<(() => void) | null>(null);

  const watchForDrag = (down: MouseEvent): void => {
    if (down.button !== 0 || down.shiftKey || down.ctrlKey || down.metaKey) {
      return;
    }
    const move = (event: globalThis.MouseEvent): void => {
      const distance = Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY);
      if (distance >= DRAG_THRESHOLD_PIXELS) {
        release.current?.();
        props.onDrag(index, event);
      }
    };
    const stop = (): void => {
      document.removeEventListener('mousemove', move);
      document.removeEventListener('mouseup', stop);
      release.current = null;
    };
    release.current?.();
    release.current = stop;
    document.addEventListener('mousemove', move);
    document.addEventListener('mouseup', stop);
  };

  const shortcut = (act: (index: number) => void) => (event: MouseEvent) => {
    event.stopPropagation();
    act(index);
  };

  return (
    // The listbox around it handles the keys.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      id={id}
      role="option"
      aria-selected={selected}
      aria-posinset={index + 1}
      aria-setsize={total}
      tabIndex={active ? 0 : -1}
      data-index={index}
      data-sim-id={run.sim_id}
      className={`jp-ape-Run${selected ? ' jp-ape-mod-selected' : ''}`}
      onClick={event => props.onClick(index, event)}
      onMouseDown={watchForDrag}
    >
      <span
        className="jp-ape-Run-check"
        aria-hidden="true"
        title={selected ? trans.__('Deselect') : trans.__('Select')}
        onMouseDown={event => event.stopPropagation()}
        onClick={shortcut(props.onToggle)}
      >
        {selected && <Icon name="check" />}
      </span>
      <div className="jp-ape-Run-body">
        <div className="jp-ape-Run-head">
          <span className="jp-ape-Run-name" title={run.sim_id}>
            {run.name}
          </span>
          <time
            className="jp-ape-Run-age"
            dateTime={run.created_at}
            title={formatTime(run.created_at)}
          >
            {formatAge(run.created_at)}
          </time>
        </div>
        <div className="jp-ape-Run-protocol" title={run.protocol_name}>
          {run.protocol_name || trans.__('no protocol')}
        </div>
        <div className="jp-ape-Run-facts">
          <span>
            {trans._n('%2 patient', '%2 patients', run.n_patients, formatCount(run.n_patients))}
          </span>
          <span aria-hidden="true">·</span>
          <span>{formatYears(run.duration_years, trans)}</span>
          {run.status === 'quarantined' && (
            <span
              className="jp-ape-Run-warning"
              title={trans.__('Its files differ from what was registered')}
            >
              <Icon name="warning" />
              {trans.__('damaged')}
            </span>
          )}
          <TagChips tags={run.tags} />
        </div>
      </div>
      <span
        className="jp-ape-Run-insert"
        aria-hidden="true"
        title={trans.__('Insert code')}
        onMouseDown={event => event.stopPropagation()}
        onClick={shortcut(props.onInsert)}
      >
        <Icon name="code" />
      </span>
    </div>
  );
});
