import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { asProblem, compareCode, loadCode, type Host, type Trans } from '../core';
import { insertCode } from './insertCode';
import type { LibrarySidebar } from './sidebar';
import { CommandIDs, type IApeLibrary } from './tokens';

export interface CommandContext {
  app: JupyterFrontEnd;
  host: Host;
  library: IApeLibrary;
  notebooks: INotebookTracker | null;
  sidebar: LibrarySidebar;
  trans: Trans;
}

const RUN_ARGS = {
  args: {
    type: 'object',
    properties: {
      simIds: {
        type: 'array',
        items: { type: 'string' },
        description: 'Ids of runs; by default those selected, else the one shown in detail.'
      },
      underMouse: {
        type: 'boolean',
        description: 'Take the run whose context menu is open, and the selection it is part of.'
      }
    }
  }
} as const;

export function addCommands(context: CommandContext): void {
  addPanelCommands(context);
  addCodeCommands(context);
  addRunCommands(context);
}

/** The runs that a command is about: named, under the context menu, selected, or shown. */
function targets(context: CommandContext, args: ReadonlyPartialJSONObject): string[] {
  if (Array.isArray(args['simIds'])) {
    return args['simIds'].filter(simId => typeof simId === 'string');
  }
  const { items, opened, selected } = context.library.store.getState();
  const chosen = items.map(run => run.sim_id).filter(simId => selected.has(simId));
  if (args['underMouse'] === true) {
    // Only for the menu itself: the application remembers where it was opened last.
    const hit = context.app.contextMenuHitTest(node => node.dataset['simId'] !== undefined);
    const simId = hit?.dataset['simId'];
    return simId === undefined || selected.has(simId) ? chosen : [simId];
  }
  return chosen.length === 0 && opened !== null ? [opened.sim_id] : chosen;
}

function addPanelCommands({ app, library, sidebar, trans }: CommandContext): void {
  app.commands.addCommand(CommandIDs.show, {
    label: trans.__('Show Simulation Runs'),
    caption: trans.__('Show the library of simulation runs in its side panel'),
    execute: () => {
      app.shell.activateById(sidebar.id);
      sidebar.focusSearch();
    }
  });
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh Simulation Runs'),
    caption: trans.__('Look for new and changed runs now'),
    execute: () => library.store.reload()
  });
  app.commands.addCommand(CommandIDs.import, {
    label: trans.__('Import Simulation Runs…'),
    caption: trans.__('Import results of APE that lie on the server, or upload a package'),
    execute: () => {
      app.shell.activateById(sidebar.id);
      library.store.intake.showForm('import');
    }
  });
  app.commands.addCommand(CommandIDs.watch, {
    label: trans.__('Watch a Folder for Simulation Runs…'),
    caption: trans.__('Take runs in as APE writes them to a folder of the server'),
    execute: () => {
      app.shell.activateById(sidebar.id);
      library.store.intake.showForm('watch');
    }
  });
}

function addCodeCommands(context: CommandContext): void {
  const { app, notebooks, trans } = context;
  app.commands.addCommand(CommandIDs.insert, {
    label: args =>
      args['underMouse'] === true
        ? trans.__('Insert Code')
        : trans.__('Insert Code That Opens the Selected Runs'),
    caption: trans.__('Insert code that opens the run into the notebook'),
    describedBy: RUN_ARGS,
    isEnabled: args => targets(context, args).length > 0,
    execute: args => insertCode(app, notebooks, loadCode(targets(context, args)), trans)
  });
  app.commands.addCommand(CommandIDs.compare, {
    label: trans.__('Compare Selected Runs'),
    caption: trans.__('Insert an overlay of the selected runs into the notebook'),
    describedBy: RUN_ARGS,
    isEnabled: args => targets(context, args).length > 1,
    execute: args => insertCode(app, notebooks, compareCode(targets(context, args)), trans)
  });
}

function addRunCommands(context: CommandContext): void {
  const { app, host, library, sidebar, trans } = context;
  const { store } = library;
  const single = (args: ReadonlyPartialJSONObject): string | null => {
    const [first, ...others] = targets(context, args);
    return first !== undefined && others.length === 0 ? first : null;
  };
  const isEnabled = (args: ReadonlyPartialJSONObject): boolean => single(args) !== null;

  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('Show Details'),
    caption: trans.__('Show everything known about the run'),
    describedBy: RUN_ARGS,
    isEnabled,
    execute: async args => {
      const simId = single(args);
      if (simId === null) {
        return;
      }
      const listed = store.getState().items.find(run => run.sim_id === simId);
      try {
        store.open(listed ?? (await store.transport.metadata(simId)));
        app.shell.activateById(sidebar.id);
      } catch (error) {
        Notification.error(asProblem(error).message);
      }
    }
  });
  app.commands.addCommand(CommandIDs.copyId, {
    label: trans.__('Copy Id'),
    caption: trans.__('Copy the id of the run'),
    describedBy: RUN_ARGS,
    isEnabled,
    execute: args => Clipboard.copyToSystem(single(args) ?? '')
  });
  app.commands.addCommand(CommandIDs.remove, {
    label: trans.__('Delete'),
    caption: trans.__('Move the run to the trash; it can be restored'),
    describedBy: RUN_ARGS,
    isEnabled,
    execute: async args => {
      const simId = single(args);
      if (simId === null) {
        return;
      }
      try {
        const removed = await store.remove(simId);
        host.removed(removed, () => store.restore(simId));
      } catch (error) {
        host.failed(trans.__('%1 was not deleted', simId), asProblem(error).message);
      }
    }
  });
}
