import { Poll } from '@lumino/polling';
import type { LibrarySidebar } from './sidebar';
import type { IApeLibrary } from './tokens';

const LONGEST_PAUSE_MS = 5 * 60_000;

/** Keeps the shown list current; rests while nobody can see it, and backs off from failures. */
export function pollLibrary(library: IApeLibrary, sidebar: LibrarySidebar): Poll {
  return new Poll({
    name: 'ape-jupyter:library',
    factory: () => library.refresh(),
    frequency: { interval: 15_000, backoff: true, max: LONGEST_PAUSE_MS },
    standby: () => (sidebar.isVisible ? 'when-hidden' : true)
  });
}
