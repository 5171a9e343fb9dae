import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { addCommands } from './commands';
import { createHost } from './labHost';
import { pollLibrary } from './polling';
import { followSettings } from './settings';
import { LibrarySidebar } from './sidebar';
import { CommandIDs, DOMAIN, IApeLibrary } from './tokens';

// Third parties have 501 to 899.
const SIDEBAR_RANK = 560;

/** Shows the library in a side panel, with its commands. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'ape-jupyter:plugin',
  description: 'Shows the library of APE simulation runs in a side panel.',
  autoStart: true,
  requires: [IApeLibrary],
  optional: [ICommandPalette, ILayoutRestorer, INotebookTracker, ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    library: IApeLibrary,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const host = createHost(app, trans);
    const sidebar = new LibrarySidebar(library.store, host, trans);
    const poll = pollLibrary(library, sidebar);
    sidebar.disposed.connect(() => poll.dispose());
    sidebar.revealedAgain.connect(() => void poll.refresh());

    addCommands({ app, host, library, notebooks, sidebar, trans });
    const category = trans.__('Simulations');
    const { show, refresh, import: importRuns, watch, insert, compare } = CommandIDs;
    for (const command of [show, refresh, importRuns, watch, insert, compare]) {
      palette?.addItem({ command, category });
    }
    app.shell.add(sidebar, 'left', { rank: SIDEBAR_RANK, type: 'Simulations' });
    restorer?.add(sidebar, sidebar.id);
    if (settings !== null) {
      followSettings(settings, sidebarPlugin.id, library.store, poll);
    }
  }
};
