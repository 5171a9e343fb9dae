import {
  forwardRef,
  useCallback,
  useImperativeHandle,
  useRef,
  useState,
  type KeyboardEvent,
  type MouseEvent,
  type ReactElement
} from 'react';
import { useHost } from '../host';
import type { LibraryState } from '../state/libraryState';
import type { LibraryStore } from '../state/libraryStore';
import { useTrans } from '../trans';
import { Button } from './Button';
import { idsBetween, listAction } from './listKeys';
import { RunRow } from './RunRow';
import { useNearEnd } from './useNearEnd';

export interface RunListHandle {
  /** Put the focus on the row of a run; by default where it was last, at first on top. */
  focus: (simId?: string) => void;
}

interface RunListProps {
  store: LibraryStore;
  state: LibraryState;
  /** The focus leaves the list upwards. */
  onLeave: () => void;
}

export const RunList = forwardRef<RunListHandle, RunListProps>(function RunList(
  { store, state, onLeave },
  ref
): ReactElement {
  const trans = useTrans();
  const host = useHost();
  const list = useRef<HTMLDivElement>(null);
  const anchor = useRef(0);
  const [active, setActive] = useState<string | null>(null);
  const { items, selected } = state;
  const current = Math.max(
    0,
    items.findIndex(run => run.sim_id === active)
  );
  const end = useNearEnd(useCallback(() => void store.loadMore(), [store]));

  const focusRow = useCallback((index: number): void => {
    const row = list.current?.querySelector<HTMLElement>(`[data-index="${index}"]`);
    setActive(row?.dataset['simId'] ?? null);
    row?.focus();
  }, []);

  useImperativeHandle(
    ref,
    () => ({
      focus: simId => {
        const index = items.findIndex(run => run.sim_id === simId);
        focusRow(index >= 0 ? index : current);
      }
    }),
    [focusRow, current, items]
  );

  // Callbacks of rows read the state when they are called: they stay the same between
  // renders, so that only rows that changed render again.
  const idsOf = useCallback(
    (index: number): string[] => {
      const { items: runs, selected: chosen } = store.getState();
      const simId = runs[index]?.sim_id;
      if (simId === undefined) {
        return [];
      }
      return chosen.has(simId)
        ? runs.filter(run => chosen.has(run.sim_id)).map(run => run.sim_id)
        : [simId];
    },
    [store]
  );

  const toggle = useCallback(
    (index: number): void => {
      const run = store.getState().items[index];
      if (run) {
        anchor.current = index;
        setActive(run.sim_id);
        store.toggle(run.sim_id);
      }
    },
    [store]
  );

  const click = useCallback(
    (index: number, event: MouseEvent): void => {
      const runs = store.getState().items;
      const run = runs[index];
      setActive(run?.sim_id ?? null);
      if (event.shiftKey) {
        store.select(idsBetween(runs, anchor.current, index));
      } else if (event.ctrlKey || event.metaKey) {
        toggle(index);
      } else if (run) {
        anchor.current = index;
        store.open(run);
      }
    },
    [store, toggle]
  );

  const insert = useCallback((index: number) => host.insertCode(idsOf(index)), [host, idsOf]);

  const drag = useCallback(
    (index: number, event: globalThis.MouseEvent): void => {
      const ids = idsOf(index);
      const name = store.getState().items[index]?.name ?? '';
      host.startDrag(ids, ids.length > 1 ? String(ids.length) : name, event.clientX, event.clientY);
    },
    [host, idsOf, store]
  );

  const pressKey = (event: KeyboardEvent): void => {
    const action = listAction(event, current, items.length);
    if (action === null) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    switch (action.type) {
      case 'move':
        if (action.extend) {
          store.select(idsBetween(items, anchor.current, action.to));
        } else {
          anchor.current = action.to;
        }
        focusRow(action.to);
        if (action.to === items.length - 1) {
          void store.loadMore();
        }
        break;
      case 'open':
        if (items[current]) {
          store.open(items[current]);
        }
        break;
      case 'insert':
        insert(current);
        break;
      case 'toggle':
        toggle(current);
        break;
      case 'select-all':
        store.select(items.map(run => run.sim_id));
        break;
      case 'leave':
        if (event.key === 'Escape' && selected.size > 0) {
          store.select([]);
        } else {
          onLeave();
        }
        break;
    }
  };

  return (
    <div className="jp-ape-RunList">
      <div
        ref={list}
        role="listbox"
        tabIndex={-1}
        aria-label={trans.__('Simulation runs')}
        aria-multiselectable="true"
        aria-busy={state.searching || state.loadingMore}
        onKeyDown={pressKey}
      >
        {items.map((run, index) => (
          <RunRow
            key={run.sim_id}
            id={`jp-ape-run-${run.sim_id}`}
            run={run}
            index={index}
            total={state.total}
            selected={selected.has(run.sim_id)}
            active={index === current}
            onClick={click}
            onToggle={toggle}
            onInsert={insert}
            onDrag={drag}
          />
        ))}
      </div>
      {state.nextCursor !== null && (
        <div ref={end} className="jp-ape-RunList-more">
          <Button
            label={state.loadingMore ? trans.__('Loading…') : trans.__('Load more')}
            disabled={state.loadingMore}
            onClick={() => void store.loadMore()}
          />
        </div>
      )}
    </div>
  );
});
