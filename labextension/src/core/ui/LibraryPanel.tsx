import { useEffect, useRef, type ReactElement } from 'react';
import { HostProvider, type Host } from '../host';
import { useLibraryState } from '../state/hooks';
import type { LibraryStore } from '../state/libraryStore';
import { TransProvider, type Trans } from '../trans';
import { ListView } from './ListView';
import { RunDetail } from './RunDetail';

interface LibraryPanelProps {
  store: LibraryStore;
  host: Host;
  trans: Trans;
}

/** The whole sidebar: the list of runs, or one of them in detail. */
export function LibraryPanel({ store, host, trans }: LibraryPanelProps): ReactElement {
  const state = useLibraryState(store);
  // Whoever comes back from a run finds the list where it was left.
  const lastOpened = useRef<string | null>(null);
  const opened = state.opened?.sim_id ?? null;
  useEffect(() => {
    if (opened !== null) {
      lastOpened.current = opened;
    }
  }, [opened]);
  return (
    <TransProvider value={trans}>
      <HostProvider value={host}>
        <div className="jp-ape-root jp-ape-Library">
          {state.opened === null ? (
            <ListView store={store} state={state} returnTo={lastOpened} />
          ) : (
            <RunDetail key={state.opened.sim_id} store={store} run={state.opened} />
          )}
        </div>
      </HostProvider>
    </TransProvider>
  );
}
