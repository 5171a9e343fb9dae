import { useEffect, useRef, type ReactElement, type RefObject } from 'react';
import { formatCount } from '../format';
import { useHost } from '../host';
import { API_VERSION } from '../model';
import type { LibraryState } from '../state/libraryState';
import type { LibraryStore } from '../state/libraryStore';
import { useTrans } from '../trans';
import { Button, IconButton } from './Button';
import { EmptyLibrary, NoMatch } from './EmptyStates';
import { IntakeButtons, IntakePanel } from './intake/IntakePanel';
import { ErrorNotice, Notice } from './Notice';
import { RunList, type RunListHandle } from './RunList';
import { SearchBox } from './SearchBox';
import { SkeletonRows } from './SkeletonRows';

interface ListViewProps {
  store: LibraryStore;
  state: LibraryState;
  /** The run that was shown before the list: its row gets the focus again. */
  returnTo: RefObject<string | null>;
}

export function ListView({ store, state, returnTo }: ListViewProps): ReactElement {
  const trans = useTrans();
  const search = useRef<HTMLInputElement>(null);
  const list = useRef<RunListHandle>(null);
  useEffect(() => {
    if (returnTo.current !== null) {
      list.current?.focus(returnTo.current);
    }
  }, [returnTo]);

  const retry = (): void => void store.reload();
  const { items, health, phase, problem } = state;
  return (
    <>
      <header className="jp-ape-Library-head">
        <div className="jp-ape-Library-title">
          <h2>{trans.__('Simulation runs')}</h2>
          <div>
            <IntakeButtons store={store.intake} features={health?.features ?? null} />
            <IconButton label={trans.__('Refresh the list')} icon="refresh" onClick={retry} />
          </div>
        </div>
        <SearchBox
          ref={search}
          query={state.query}
          busy={state.searching}
          onQuery={query => store.setQuery(query)}
          onClear={() => {
            store.clearQuery();
            search.current?.focus();
          }}
          onDown={() => list.current?.focus()}
        />
        <CountLine state={state} />
      </header>
      <IntakePanel store={store.intake} features={health?.features ?? null} />
      {health !== null && health.api_version !== API_VERSION && (
        <VersionBanner serverVersion={health.version} serverApi={health.api_version} />
      )}
      {problem !== null && items.length > 0 && (
        <ErrorNotice problem={problem} onRetry={retry} compact />
      )}
      <div className="jp-ape-Library-body">
        {phase === 'loading' && <SkeletonRows />}
        {problem !== null && items.length === 0 && (
          <ErrorNotice problem={problem} onRetry={retry} />
        )}
        {phase === 'ready' && items.length === 0 && state.answered.trim() === '' && (
          <EmptyLibrary location={health?.library.location ?? null} />
        )}
        {phase === 'ready' && items.length === 0 && state.answered.trim() !== '' && (
          <NoMatch query={state.answered} onClear={() => store.clearQuery()} />
        )}
        {items.length > 0 && (
          <RunList ref={list} store={store} state={state} onLeave={() => search.current?.focus()} />
        )}
      </div>
      {state.selected.size > 0 && <SelectionBar store={store} state={state} />}
    </>
  );
}

/** How much was found, also for those who do not see the list change. */
function CountLine({ state }: { state: LibraryState }): ReactElement {
  const trans = useTrans();
  let text = '';
  if (state.phase === 'ready') {
    const total = formatCount(state.total);
    text =
      state.answered.trim() === ''
        ? trans._n('%2 run', '%2 runs', state.total, total)
        : trans._n('%2 run found', '%2 runs found', state.total, total);
  }
  return (
    <div className="jp-ape-Library-count" aria-live="polite" role="status">
      {text}
    </div>
  );
}

interface VersionBannerProps {
  serverVersion: string;
  serverApi: number;
}

function VersionBanner({ serverVersion, serverApi }: VersionBannerProps): ReactElement {
  const trans = useTrans();
  return (
    <Notice title={trans.__('This page and the server differ in version')} tone="error" compact>
      <p>
        {trans.__(
          'The server runs ape-jupyter %1 (interface %2), this page expects interface %3. Reload the page; if this stays, restart the server after the upgrade. Until then some actions may fail.',
          serverVersion,
          serverApi,
          API_VERSION
        )}
      </p>
    </Notice>
  );
}

function SelectionBar({ store, state }: Omit<ListViewProps, 'returnTo'>): ReactElement {
  const trans = useTrans();
  const host = useHost();
  const ids = state.items.map(run => run.sim_id).filter(simId => state.selected.has(simId));
  return (
    <div className="jp-ape-SelectionBar" role="toolbar" aria-label={trans.__('Selected runs')}>
      <span className="jp-ape-SelectionBar-count">
        {trans._n('%2 selected', '%2 selected', ids.length, formatCount(ids.length))}
      </span>
      <Button
        label={trans.__('Compare')}
        icon="compare"
        variant="primary"
        disabled={ids.length < 2}
        title={ids.length < 2 ? trans.__('Select at least two runs to compare them') : undefined}
        onClick={() => host.compare(ids)}
      />
      <IconButton
        label={trans.__('Insert code that opens the selected runs')}
        icon="code"
        onClick={() => host.insertCode(ids)}
      />
      <IconButton
        label={trans.__('Clear the selection')}
        icon="clear"
        onClick={() => store.select([])}
      />
    </div>
  );
}
