import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { Poll } from '@lumino/polling';
import type { LibraryStore } from '../core';

/** Apply the user's settings now and whenever they change. */
export function followSettings(
  registry: ISettingRegistry,
  pluginId: string,
  store: LibraryStore,
  poll: Poll
): void {
  const apply = (settings: ISettingRegistry.ISettings): void => {
    store.setPageSize(settings.get('pageSize').composite as number);
    const seconds = settings.get('pollSeconds').composite as number;
    poll.frequency = { ...poll.frequency, interval: seconds * 1000 };
  };
  registry.load(pluginId).then(
    settings => {
      apply(settings);
      settings.changed.connect(apply);
    },
    (error: unknown) => console.warn('ape-jupyter runs with its default settings.', error)
  );
}
