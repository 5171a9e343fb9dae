import { fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LibraryPanel, LibraryStore, Problem, english } from '../../src/core';
import { FakeTransport, fakeHost, makeRun, makeRuns, page } from '../fakes';

let transport: FakeTransport;
let store: LibraryStore;
let host: ReturnType<typeof fakeHost>;

beforeEach(() => {
  transport = new FakeTransport();
  store = new LibraryStore({ transport, debounceMs: 0 });
  host = fakeHost();
});

async function show(): Promise<void> {
  render(<LibraryPanel store={store} host={host} trans={english} />);
  await store.reload();
}

const options = (): HTMLElement[] => screen.getAllByRole('option');
const search = (): HTMLElement => screen.getByRole('textbox', { name: 'Search simulation runs' });

describe('the list', () => {
  it('shows what people know a run by', async () => {
    transport.search.mockResolvedValue(page([makeRun()]));
    await show();
    const [row] = await screen.findAllByRole('option');
    for (const text of [
      'calm-river',
      'Treat and extend',
      '1,900 patients',
      '2 years',
      'baseline'
    ]) {
      expect(within(row!).getByText(text)).toBeTruthy();
    }
    expect(screen.getByText('1 run').getAttribute('aria-live')).toBe('polite');
  });

  it('is walked with the arrow keys, from the search box and back', async () => {
    transport.search.mockResolvedValue(page(makeRuns(3)));
    await show();
    await screen.findAllByRole('option');
    await userEvent.click(search());
    await userEvent.keyboard('{ArrowDown}');
    expect(document.activeElement).toBe(options()[0]);
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{ArrowDown}');
    expect(document.activeElement).toBe(options()[2]);
    expect(options().map(option => option.tabIndex)).toEqual([-1, -1, 0]);
    await userEvent.keyboard('{Home}');
    expect(document.activeElement).toBe(options()[0]);
    await userEvent.keyboard('{ArrowUp}');
    expect(document.activeElement).toBe(search());
  });

  it('opens a run with Enter; Escape leads back to its row', async () => {
    transport.search.mockResolvedValue(page(makeRuns(3)));
    await show();
    await screen.findAllByRole('option');
    await userEvent.click(search());
    await userEvent.keyboard('{ArrowDown}{ArrowDown}{Enter}');
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'run-1' }));
    await userEvent.keyboard('{Escape}');
    expect(document.activeElement).toBe(options()[1]);
  });

  it('selects with Space, Shift and Ctrl, and compares what is selected', async () => {
    transport.search.mockResolvedValue(page(makeRuns(4)));
    await show();
    await screen.findAllByRole('option');
    await userEvent.click(search());
    await userEvent.keyboard('{ArrowDown} ');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Compare' }).disabled).toBe(true);
    await userEvent.keyboard('{Shift>}{ArrowDown}{/Shift}');
    fireEvent.click(options()[3]!, { ctrlKey: true });
    expect(options().map(option => option.getAttribute('aria-selected'))).toEqual([
      'true',
      'true',
      'false',
      'true'
    ]);
    await userEvent.click(screen.getByRole('button', { name: 'Compare' }));
    expect(host.compare).toHaveBeenCalledWith(['sim_run_0', 'sim_run_1', 'sim_run_3']);
  });

  it('keeps the focus on its run when a newer one appears above', async () => {
    const runs = makeRuns(2);
    transport.search.mockResolvedValueOnce(page(runs));
    await show();
    await screen.findAllByRole('option');
    await userEvent.click(search());
    await userEvent.keyboard('{ArrowDown}');
    transport.search.mockResolvedValueOnce(page([makeRun(), ...runs]));
    await store.reload();
    await waitFor(() => expect(options()).toHaveLength(3));
    expect(document.activeElement).toBe(options()[1]);
    expect(options().map(option => option.tabIndex)).toEqual([-1, 0, -1]);
  });

  it('inserts code with Ctrl+Enter', async () => {
    transport.search.mockResolvedValue(page(makeRuns(1)));
    await show();
    await screen.findAllByRole('option');
    await userEvent.click(search());
    await userEvent.keyboard('{ArrowDown}{Control>}{Enter}{/Control}');
    expect(host.insertCode).toHaveBeenCalledWith(['sim_run_0']);
  });

  it('starts a drag once the mouse has moved, and listens no longer', async () => {
    transport.search.mockResolvedValue(page(makeRuns(1)));
    await show();
    const [row] = await screen.findAllByRole('option');
    fireEvent.mouseDown(row!, { button: 0, clientX: 10, clientY: 10 });
    fireEvent.mouseMove(document, { clientX: 12, clientY: 10 });
    expect(host.startDrag).not.toHaveBeenCalled();
    fireEvent.mouseMove(document, { clientX: 20, clientY: 10 });
    fireEvent.mouseMove(document, { clientX: 30, clientY: 10 });
    expect(host.startDrag).toHaveBeenCalledExactlyOnceWith(['sim_run_0'], 'run-0', 20, 10);
  });

  it('searches as one types, and clears', async () => {
    transport.search.mockImplementation(async ({ query }) =>
      query === '' ? page(makeRuns(2)) : page([])
    );
    await show();
    await screen.findAllByRole('option');
    await userEvent.type(search(), 'zebra');
    expect(await screen.findByText('No run matches “zebra”')).toBeTruthy();
    const notice = screen.getByText('No run matches “zebra”').parentElement!;
    await userEvent.click(within(notice).getByRole('button', { name: 'Clear the search' }));
    await waitFor(() => expect(options()).toHaveLength(2));
  });
});

describe('the detail view', () => {
  it('shows the figures and counts of the run', async () => {
    transport.search.mockResolvedValue(page([makeRun()]));
    await show();
    await userEvent.click((await screen.findAllByRole('option'))[0]!);
    for (const text of ['57.3', '9,100', '12.5%', 'abs', '42', '0123456789ab']) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    expect(screen.getByText(/of 2,000 requested, 600 without a visit/)).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Copy the checksum' }));
    expect(host.copy).toHaveBeenCalledWith(makeRun().checksum);
    await userEvent.click(screen.getByRole('button', { name: 'Insert code' }));
    expect(host.insertCode).toHaveBeenCalledWith([makeRun().sim_id]);
  });

  it('adds tags, several at a time, and removes them', async () => {
    const run = makeRun();
    transport.search.mockResolvedValue(page([run]));
    await show();
    await userEvent.click((await screen.findAllByRole('option'))[0]!);
    transport.changeTags.mockResolvedValueOnce([{ ...run, tags: ['a', 'b', 'baseline'] }]);
    await userEvent.type(screen.getByRole('combobox', { name: 'Add a tag' }), 'a, b{Enter}');
    expect(transport.changeTags).toHaveBeenCalledWith({ sim_ids: [run.sim_id], add: ['a', 'b'] });
    await userEvent.click(await screen.findByRole('button', { name: 'Remove the tag b' }));
    expect(transport.changeTags).toHaveBeenLastCalledWith({ sim_ids: [run.sim_id], remove: ['b'] });
  });

  it('keeps a tag that was refused in the field, and says why', async () => {
    transport.search.mockResolvedValue(page([makeRun()]));
    await show();
    await userEvent.click((await screen.findAllByRole('option'))[0]!);
    transport.changeTags.mockRejectedValueOnce(new Problem('invalid', 'The tag is too long.'));
    const field = screen.getByRole<HTMLInputElement>('combobox', { name: 'Add a tag' });
    await userEvent.type(field, 'long{Enter}');
    expect(await screen.findByText('The tag is too long.')).toBeTruthy();
    expect(field.value).toBe('long');
  });

  it('shows protocol and audit log on demand', async () => {
    transport.search.mockResolvedValue(page([makeRun()]));
    await show();
    await userEvent.click((await screen.findAllByRole('option'))[0]!);
    const summary = await screen.findByText('Audit log (1)');
    expect(screen.queryByText('simulation_start')).toBeNull();
    const section = summary.closest('details')!;
    section.open = true;
    fireEvent(section, new Event('toggle'));
    expect(await screen.findByText('simulation_start')).toBeTruthy();
  });

  it('deletes with a way back', async () => {
    const run = makeRun();
    transport.search.mockResolvedValue(page([run]));
    await show();
    await userEvent.click((await screen.findAllByRole('option'))[0]!);
    await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('0 runs')).toBeTruthy();
    const undo = host.removed.mock.calls[0]![1];
    await undo();
    expect(transport.restore).toHaveBeenCalledWith(run.sim_id);
    await waitFor(() => expect(options()).toHaveLength(1));
  });

  it('says when deleting failed, and stays', async () => {
    transport.search.mockResolvedValue(page([makeRun()]));
    await show();
    await userEvent.click((await screen.findAllByRole('option'))[0]!);
    transport.remove.mockRejectedValueOnce(new Problem('forbidden', 'Not yours.'));
    await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
    await vi.waitFor(() =>
      expect(host.failed).toHaveBeenCalledWith('calm-river was not deleted', 'Not yours.')
    );
    expect(screen.getByRole('heading', { name: 'calm-river' })).toBeTruthy();
  });
});

it('listens no longer once it is gone', async () => {
  const { unmount } = render(<LibraryPanel store={store} host={host} trans={english} />);
  expect(store.listenerCount).toBe(1);
  unmount();
  expect(store.listenerCount).toBe(0);
});
