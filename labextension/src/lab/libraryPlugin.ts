import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { LibraryStore } from '../core';
import { RestTransport } from './restTransport';
import { IApeLibrary } from './tokens';

/** Provides the library of this server; shows nothing. */
export const libraryPlugin: JupyterFrontEndPlugin<IApeLibrary> = {
  id: 'ape-jupyter:library',
  description: 'Provides the library of APE simulation runs of this server.',
  autoStart: true,
  provides: IApeLibrary,
  activate: (app: JupyterFrontEnd): IApeLibrary => {
    const transport = new RestTransport(app.serviceManager.serverSettings);
    const store = new LibraryStore({ transport });
    return { store, refresh: () => store.refresh() };
  }
};
