import { Token } from '@lumino/coreutils';
import type { LibraryStore } from '../core';

/** The simulation library of this server, for every plugin that shows or changes it. */
export interface IApeLibrary {
  readonly store: LibraryStore;
  /** Look for changes now instead of at the next poll. */
  refresh(): Promise<void>;
}

export const IApeLibrary = new Token<IApeLibrary>(
  'ape-jupyter:IApeLibrary',
  'The library of APE simulation runs of this Jupyter server.'
);

/** Commands that other extensions may execute; `simIds` names the runs. */
export const CommandIDs = {
  show: 'ape-jupyter:show-library',
  refresh: 'ape-jupyter:refresh-library',
  import: 'ape-jupyter:import',
  watch: 'ape-jupyter:watch-folder',
  open: 'ape-jupyter:open-run',
  insert: 'ape-jupyter:insert-code',
  compare: 'ape-jupyter:insert-comparison',
  copyId: 'ape-jupyter:copy-run-id',
  remove: 'ape-jupyter:delete-run'
} as const;

/** The translation domain of all strings of this extension. */
export const DOMAIN = 'ape_jupyter';
