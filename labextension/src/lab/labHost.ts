import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import { asProblem, loadCode, type Host, type Trans } from '../core';
import { dragCode } from './drag';
import { CommandIDs } from './tokens';

/** The components' wishes, as commands and notifications of JupyterLab. */
export function createHost(app: JupyterFrontEnd, trans: Trans): Host {
  return {
    insertCode: simIds => void app.commands.execute(CommandIDs.insert, { simIds: [...simIds] }),
    compare: simIds => void app.commands.execute(CommandIDs.compare, { simIds: [...simIds] }),
    copy: text => Clipboard.copyToSystem(text),
    removed: (run, undo) => {
      Notification.info(trans.__('%1 is in the trash', run.name), {
        autoClose: 15_000,
        actions: [
          {
            label: trans.__('Undo'),
            displayType: 'accent',
            callback: () => {
              undo().catch((error: unknown) => {
                Notification.error(
                  trans.__('%1 was not restored: %2', run.name, asProblem(error).message)
                );
              });
            }
          }
        ]
      });
    },
    failed: (what, reason) => {
      Notification.error(reason ? `${what}: ${reason}` : what);
    },
    startDrag: (simIds, label, clientX, clientY) => {
      const text = simIds.length > 1 ? trans.__('%1 runs', simIds.length) : label;
      dragCode(loadCode(simIds), text, clientX, clientY);
    }
  };
}
