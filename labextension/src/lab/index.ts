import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { libraryPlugin } from './libraryPlugin';
import { sidebarPlugin } from './sidebarPlugin';

export { CommandIDs, IApeLibrary } from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [libraryPlugin, sidebarPlugin];

export default plugins;
