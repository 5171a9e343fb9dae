import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LibraryStore, english } from '../../src/core';
import { addCommands } from '../../src/lab/commands';
import type { LibrarySidebar } from '../../src/lab/sidebar';
import { CommandIDs } from '../../src/lab/tokens';
import { FakeTransport, fakeHost, makeRuns, page } from '../fakes';

vi.mock('@jupyterlab/apputils', () => ({
  Clipboard: { copyToSystem: vi.fn() },
  Notification: { info: vi.fn(), error: vi.fn() }
}));
vi.mock('@jupyterlab/notebook', () => ({ NotebookActions: { insertBelow: vi.fn() } }));

/** The part of a notebook that code is inserted into. */
function fakeNotebooks(source: string): { tracker: INotebookTracker; written: () => string } {
  const sharedModel = {
    source,
    setSource(text: string) {
      this.source = text;
    }
  };
  const content = {
    activeCell: { model: { type: 'code', sharedModel } },
    deselectAll: vi.fn(),
    scrollToCell: vi.fn(),
    activate: vi.fn()
  };
  const tracker = { currentWidget: { id: 'notebook', content } };
  return { tracker: tracker as unknown as INotebookTracker, written: () => sharedModel.source };
}

let commands: CommandRegistry;
let store: LibraryStore;
let transport: FakeTransport;
let host: ReturnType<typeof fakeHost>;
let underMouse: HTMLElement | undefined;
let refresh: ReturnType<typeof vi.fn<() => Promise<void>>>;

function start(notebooks: INotebookTracker | null): void {
  commands = new CommandRegistry();
  const app = {
    commands,
    shell: { activateById: vi.fn() },
    contextMenuHitTest: () => underMouse
  };
  addCommands({
    app: app as unknown as JupyterFrontEnd,
    host,
    library: { store, refresh },
    notebooks,
    sidebar: { id: 'sidebar', focusSearch: vi.fn() } as unknown as LibrarySidebar,
    trans: english
  });
}

beforeEach(async () => {
  transport = new FakeTransport();
  transport.search.mockResolvedValue(page(makeRuns(3)));
  store = new LibraryStore({ transport });
  await store.reload();
  host = fakeHost();
  refresh = vi.fn(async () => undefined);
  underMouse = document.createElement('div');
  underMouse.dataset['simId'] = 'sim_run_2';
});

describe('inserting code', () => {
  it('fills the empty cell of the notebook', async () => {
    const { tracker, written } = fakeNotebooks('');
    start(tracker);
    await commands.execute(CommandIDs.insert, { simIds: ['sim_x'] });
    expect(written()).toBe(
      'import ape_jupyter as ape\n\ndata = ape.connect().load_simulation("sim_x")'
    );
  });

  it('takes the runs that are selected', async () => {
    const { tracker, written } = fakeNotebooks('');
    start(tracker);
    store.select(['sim_run_0', 'sim_run_1']);
    await commands.execute(CommandIDs.compare);
    expect(written()).toContain('ape.ComparisonOverlay(lib, ["sim_run_0", "sim_run_1"])');
  });

  it('without a notebook offers to copy', async () => {
    start(null);
    await commands.execute(CommandIDs.insert, { simIds: ['sim_x'] });
    const [text, options] = vi.mocked(Notification.info).mock.calls[0]!;
    expect(text).toMatch(/No notebook is open/);
    const [copy] = options!.actions!;
    copy!.callback(new MouseEvent('click'));
    expect(Clipboard.copyToSystem).toHaveBeenCalledWith(
      expect.stringContaining('load_simulation("sim_x")')
    );
  });
});

describe('the runs of a command', () => {
  beforeEach(() => start(fakeNotebooks('').tracker));

  it('are those under the mouse only in the context menu', async () => {
    store.open(store.getState().items[0]!);
    await commands.execute(CommandIDs.copyId);
    expect(Clipboard.copyToSystem).toHaveBeenLastCalledWith('sim_run_0');
    await commands.execute(CommandIDs.copyId, { underMouse: true });
    expect(Clipboard.copyToSystem).toHaveBeenLastCalledWith('sim_run_2');
  });

  it('are the selection when the one under the mouse is part of it', () => {
    store.select(['sim_run_1', 'sim_run_2']);
    expect(commands.isEnabled(CommandIDs.compare, { underMouse: true })).toBe(true);
    expect(commands.isEnabled(CommandIDs.open, { underMouse: true })).toBe(false);
    store.select(['sim_run_0', 'sim_run_1']);
    expect(commands.isEnabled(CommandIDs.open, { underMouse: true })).toBe(true);
  });

  it('must be there', () => {
    expect(commands.isEnabled(CommandIDs.insert)).toBe(false);
    expect(commands.isEnabled(CommandIDs.compare, { simIds: ['one'] })).toBe(false);
  });
});

it('opens a run that is not listed', async () => {
  start(null);
  await commands.execute(CommandIDs.open, { simIds: ['sim_elsewhere'] });
  expect(store.getState().opened?.sim_id).toBe('sim_elsewhere');
});

it('deletes with a way back', async () => {
  start(null);
  await commands.execute(CommandIDs.remove, { simIds: ['sim_run_1'] });
  expect(transport.remove).toHaveBeenCalledWith('sim_run_1');
  await host.removed.mock.calls[0]![1]();
  expect(transport.restore).toHaveBeenCalledWith('sim_run_1');
});

it.each([
  [CommandIDs.import, 'import'],
  [CommandIDs.watch, 'watch']
])('%s opens its form in the sidebar', async (command, form) => {
  start(null);
  await commands.execute(command);
  expect(store.intake.getState().form).toBe(form);
});
