import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { NotebookActions, type INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Trans } from '../core';

/** Put code into a cell of its own: the active one if it is empty, else a new one below. */
export function insertIntoNotebook(panel: NotebookPanel, code: string): void {
  const notebook = panel.content;
  const active = notebook.activeCell;
  const reuse = active?.model.type === 'code' && active.model.sharedModel.source.trim() === '';
  if (!reuse) {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(code);
  notebook.deselectAll();
  const inserted = notebook.activeCell;
  if (inserted) {
    void notebook.scrollToCell(inserted);
  }
  notebook.activate();
}

/**
 * Insert code into the notebook in front; without one, say so and offer ways on.
 */
export function insertCode(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker | null,
  code: string,
  trans: Trans
): void {
  const panel = notebooks?.currentWidget;
  if (panel) {
    insertIntoNotebook(panel, code);
    app.shell.activateById(panel.id);
    return;
  }
  const copy = {
    label: trans.__('Copy the code'),
    callback: () => Clipboard.copyToSystem(code)
  };
  const create = {
    label: trans.__('New notebook'),
    displayType: 'accent' as const,
    callback: () => void insertIntoNewNotebook(app, code, trans)
  };
  const canCreate = notebooks !== null && app.commands.hasCommand('notebook:create-new');
  Notification.info(trans.__('No notebook is open to insert the code into. Open one, or choose:'), {
    autoClose: false,
    actions: canCreate ? [create, copy] : [copy]
  });
}

async function insertIntoNewNotebook(
  app: JupyterFrontEnd,
  code: string,
  trans: Trans
): Promise<void> {
  try {
    await app.serviceManager.kernelspecs.ready;
    const kernelName = app.serviceManager.kernelspecs.specs?.default;
    const panel = (await app.commands.execute(
      'notebook:create-new',
      kernelName === undefined ? {} : { kernelName }
    )) as NotebookPanel;
    await panel.context.ready;
    await panel.revealed;
    insertIntoNotebook(panel, code);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    Notification.error(trans.__('The notebook could not be created: %1', reason));
  }
}
