import { render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IntakeStore, LibraryPanel, LibraryStore, Problem, english } from '../../src/core';
import {
  FakeTransport,
  HEALTH,
  deferred,
  fakeHost,
  makeJob,
  makeOutcome,
  makeRuns,
  makeWatch,
  page
} from '../fakes';

let transport: FakeTransport;

beforeEach(() => {
  transport = new FakeTransport();
});

describe('the store', () => {
  let store: IntakeStore;
  const onNewRuns = vi.fn();

  beforeEach(() => {
    vi.useFakeTimers();
    onNewRuns.mockClear();
    store = new IntakeStore({ transport, onNewRuns, intervalMs: 100 });
  });

  afterEach(() => {
    store.dispose();
    vi.useRealTimers();
  });

  it('follows an import to its end, and then rests', async () => {
    transport.imports.mockResolvedValue([makeJob({ total: 2, done: 1 })]);
    expect(await store.startImport('/data/ape/results')).toBe(true);
    await vi.advanceTimersByTimeAsync(100);
    expect(store.getState().running[0]).toMatchObject({ done: 1, total: 2 });
    expect(onNewRuns).not.toHaveBeenCalled();
    const over = makeJob({ state: 'finished', outcomes: [makeOutcome()] });
    transport.imports.mockResolvedValue([{ ...over, outcomes: [] }]);
    transport.importJob.mockResolvedValue(over);
    await vi.advanceTimersByTimeAsync(100);
    expect(store.getState().running).toEqual([]);
    expect(store.getState().ended[0]!.outcomes).toHaveLength(1);
    expect(onNewRuns).toHaveBeenCalledOnce();
    const asked = transport.imports.mock.calls.length;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(transport.imports.mock.calls).toHaveLength(asked);
  });

  it('shows what another window has started, and tells when a folder brought runs', async () => {
    transport.imports.mockResolvedValue([makeJob(), makeJob({ job_id: 'old', state: 'failed' })]);
    await store.refresh();
    expect(store.getState().running.map(job => job.job_id)).toEqual(['j1']);
    expect(store.getState().ended).toEqual([]);
    transport.watches.mockResolvedValue([makeWatch({ n_taken_in: 3 })]);
    await store.refresh();
    expect(onNewRuns).toHaveBeenCalledOnce();
  });

  it('does not lose an import that starts while it asks', async () => {
    const answer = deferred<[]>();
    transport.imports.mockReturnValueOnce(answer.promise);
    const refreshing = store.refresh();
    await store.startImport('/p');
    answer.resolve([]);
    await refreshing;
    expect(store.getState().running).toHaveLength(1);
  });

  it('keeps the form open, and says why, when the server refuses', async () => {
    store.showForm('watch');
    transport.watchFolder.mockRejectedValueOnce(new Problem('invalid', 'There is no folder /x.'));
    expect(await store.watchFolder('/x')).toBe(false);
    expect(store.getState()).toMatchObject({ form: 'watch', watches: [] });
    expect(store.getState().problem!.message).toBe('There is no folder /x.');
  });

  it('asks nothing, and has no listener, once it is disposed', async () => {
    store.subscribe(() => undefined);
    await store.startImport('/p');
    store.dispose();
    await vi.advanceTimersByTimeAsync(1000);
    expect(transport.imports).not.toHaveBeenCalled();
    expect(store.listenerCount).toBe(0);
  });
});

describe('the panel', () => {
  let store: LibraryStore;

  async function show(): Promise<void> {
    store = new LibraryStore({ transport });
    render(<LibraryPanel store={store} host={fakeHost()} trans={english} />);
    await store.reload();
  }

  afterEach(() => store.dispose());

  it('imports a path with the keyboard alone', async () => {
    await show();
    const button = screen.getByRole('button', { name: 'Import…' });
    button.focus();
    await userEvent.keyboard('{Enter}');
    expect(button.getAttribute('aria-expanded')).toBe('true');
    await userEvent.keyboard('/data/ape/results{Enter}');
    expect(transport.startImport).toHaveBeenCalledWith('/data/ape/results');
    expect(await screen.findByRole('progressbar', { name: 'Importing results' })).toBeTruthy();
    expect(screen.queryByRole('textbox', { name: /on the server/ })).toBeNull();
  });

  it('closes a form with Escape', async () => {
    await show();
    await userEvent.click(screen.getByRole('button', { name: 'Watch a folder…' }));
    await userEvent.keyboard('{Escape}');
    expect(screen.queryByRole('textbox', { name: /on the server/ })).toBeNull();
  });

  it('tells how far an import is, in words too, and cancels it', async () => {
    transport.imports.mockResolvedValue([
      makeJob({ done: 1, total: 4, current: 'x', rows_done: 500_000, rows_total: 1_000_000 })
    ]);
    await show();
    const bar = await screen.findByRole<HTMLProgressElement>('progressbar');
    expect([bar.value, bar.max]).toEqual([1.5, 4]);
    expect(bar.getAttribute('aria-valuetext')).toBe('Run 2 of 4 · 500,000 of 1,000,000 visits');
    await userEvent.click(screen.getByRole('button', { name: 'Cancel the import of results' }));
    expect(transport.cancelImport).toHaveBeenCalledWith('j1');
  });

  it('uploads a package and shows every fault of it', async () => {
    const fault = { file: 'visits', problem: 'values outside 0-100', column: 'vision', rows: 1200 };
    transport.upload.mockResolvedValueOnce(
      makeOutcome({ status: 'refused', metadata: null, faults: [fault] })
    );
    await show();
    await userEvent.click(screen.getByRole('button', { name: 'Import…' }));
    const file = new File(['PK'], 'run.zip', { type: 'application/zip' });
    await userEvent.upload(screen.getByLabelText('Package (.zip) on this computer'), file);
    expect(await screen.findByText('1 refused')).toBeTruthy();
    expect(
      screen.getByText(/visits, column vision: values outside 0-100 \(1,200 rows\)/)
    ).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Dismiss run.zip' }));
    expect(screen.queryByText('1 refused')).toBeNull();
  });

  it('watches a folder, tells what is broken in it, and stops', async () => {
    const watch = makeWatch({
      n_taken_in: 12,
      n_broken: 1,
      broken: [
        {
          number: 1,
          path: '/data/ape/results/sim_x',
          status: 'refused',
          sim_id: null,
          at: '2026-01-03T03:04:05+00:00',
          faults: [{ file: 'visits.parquet', problem: 'is missing', column: null, rows: null }]
        }
      ]
    });
    transport.watchFolder.mockResolvedValueOnce(watch);
    await show();
    await userEvent.click(screen.getByRole('button', { name: 'Watch a folder…' }));
    await userEvent.keyboard('/data/ape/results{Enter}');
    const list = await screen.findByRole('list', { name: 'Folders that are followed' });
    expect(within(list).getByText('12 taken in')).toBeTruthy();
    expect(within(list).getByText('visits.parquet: is missing')).toBeTruthy();
    await userEvent.click(screen.getByRole('button', { name: 'Stop watching results' }));
    await waitFor(() => expect(screen.queryByText('12 taken in')).toBeNull());
    expect(transport.stopWatch).toHaveBeenCalledWith('w1');
  });

  it('has no button to stop what the configuration names', async () => {
    transport.watches.mockResolvedValue([
      makeWatch({ is_configured: true, problem: 'It is away' })
    ]);
    await show();
    expect(await screen.findByText('It is away')).toBeTruthy();
    expect(screen.queryByRole('button', { name: /Stop watching/ })).toBeNull();
  });

  it('offers only what the server has switched on', async () => {
    const off = { ...HEALTH.features, path_imports: false, uploads: false };
    transport.health.mockResolvedValue({ ...HEALTH, features: off });
    transport.search.mockResolvedValue(page(makeRuns(1)));
    await show();
    await screen.findAllByRole('option');
    expect(screen.queryByRole('button', { name: 'Import…' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Watch a folder…' })).toBeNull();
    expect(screen.queryByRole('region', { name: 'Runs that come in' })).toBeNull();
  });
});
