import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LibraryStore, Problem, type SearchPage } from '../../src/core';
import { FakeTransport, deferred, makeRun, makeRuns, page } from '../fakes';

let transport: FakeTransport;
let store: LibraryStore;

beforeEach(() => {
  transport = new FakeTransport();
  store = new LibraryStore({ transport, pageSize: 2 });
});

describe('searching', () => {
  it('waits until the typing pauses, then asks once', async () => {
    vi.useFakeTimers();
    store.setQuery('c');
    await vi.advanceTimersByTimeAsync(100);
    store.setQuery('calm');
    await vi.advanceTimersByTimeAsync(119);
    expect(transport.search).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(transport.search).toHaveBeenCalledOnce();
    expect(transport.search.mock.calls[0]![0]).toEqual({ query: 'calm', limit: 2 });
  });

  it('drops the answer to a query that is no longer asked', async () => {
    const slow = deferred<SearchPage>();
    transport.search.mockImplementation(async ({ query }) =>
      query === 'slow' ? slow.promise : page(makeRuns(1, 'fast'))
    );
    vi.useFakeTimers();
    store.setQuery('slow');
    await vi.advanceTimersByTimeAsync(120);
    const signal = transport.search.mock.calls[0]![1]!;
    store.setQuery('fast');
    await vi.advanceTimersByTimeAsync(120);
    expect(signal.aborted).toBe(true);
    slow.resolve(page(makeRuns(2, 'slow')));
    await vi.advanceTimersByTimeAsync(0);
    expect(store.getState().items.map(run => run.name)).toEqual(['fast-0']);
    expect(store.getState().answered).toBe('fast');
  });

  it('keeps the last runs and tells why the next attempt failed', async () => {
    transport.search.mockResolvedValueOnce(page(makeRuns(1)));
    await store.reload();
    transport.search.mockRejectedValueOnce(new Problem('offline', 'gone'));
    await store.reload();
    expect(store.getState()).toMatchObject({ phase: 'failed', searching: false });
    expect(store.getState().items).toHaveLength(1);
    expect(store.getState().problem?.kind).toBe('offline');
    await store.reload();
    expect(store.getState()).toMatchObject({ phase: 'ready', problem: null });
  });
});

describe('refreshing', () => {
  it('changes nothing when the page is the same object as before', async () => {
    const same = page(makeRuns(2));
    transport.search.mockResolvedValue(same);
    await store.reload();
    const items = store.getState().items;
    await store.refresh();
    expect(store.getState().items).toBe(items);
  });

  it('rejects when the library can not be reached, so that polls back off', async () => {
    transport.search.mockRejectedValue(new Problem('offline', ''));
    await expect(store.refresh()).rejects.toMatchObject({ kind: 'offline' });
  });

  it('leaves a search that is being typed alone', async () => {
    store.setQuery('half a wo');
    await store.refresh();
    expect(transport.search).not.toHaveBeenCalled();
    store.dispose();
  });

  it('lists as many runs again as had been loaded', async () => {
    const all = makeRuns(6);
    transport.search.mockImplementation(async ({ cursor = '0', limit }) => {
      const start = Number(cursor);
      const end = start + limit;
      return page(all.slice(start, end), {
        total: all.length,
        next_cursor: end < all.length ? String(end) : null
      });
    });
    await store.reload();
    await store.loadMore();
    expect(store.getState().items).toHaveLength(4);
    all.unshift(makeRun({ sim_id: 'sim_new', name: 'new' }));
    await store.refresh();
    expect(store.getState().items.map(run => run.name)).toEqual(['new', 'run-0', 'run-1', 'run-2']);
  });
});

describe('pages', () => {
  it('follow the cursor and never list a run twice', async () => {
    const [a, b, c] = makeRuns(3);
    transport.search.mockResolvedValueOnce(page([a!, b!], { total: 3, next_cursor: 'n' }));
    await store.reload();
    transport.search.mockResolvedValueOnce(page([b!, c!], { total: 3 }));
    await store.loadMore();
    expect(transport.search.mock.lastCall![0]).toEqual({ query: '', limit: 2, cursor: 'n' });
    expect(store.getState().items).toEqual([a, b, c]);
    expect(store.getState().nextCursor).toBeNull();
  });

  it('are not asked for beyond the last', async () => {
    await store.reload();
    await store.loadMore();
    expect(transport.search).toHaveBeenCalledOnce();
  });
});

describe('changes', () => {
  it('remove a run from the list, the selection and the detail view', async () => {
    const [a, b] = makeRuns(2);
    transport.search.mockResolvedValue(page([a!, b!]));
    await store.reload();
    store.select([a!.sim_id, b!.sim_id]);
    store.open(a!);
    await store.remove(a!.sim_id);
    expect(store.getState()).toMatchObject({ items: [b], total: 1, opened: null });
    expect([...store.getState().selected]).toEqual([b!.sim_id]);
  });

  it('are not undone by an answer from before them', async () => {
    const [a, b] = makeRuns(2);
    transport.search.mockResolvedValueOnce(page([a!, b!]));
    await store.reload();
    const late = deferred<SearchPage>();
    transport.search.mockReturnValueOnce(late.promise).mockResolvedValue(page([b!]));
    const refreshing = store.refresh();
    await Promise.resolve();
    await store.remove(a!.sim_id);
    late.resolve(page([a!, b!]));
    await refreshing;
    await vi.waitFor(() => expect(store.getState().searching).toBe(false));
    expect(store.getState().items).toEqual([b]);
  });

  it('show new tags in the list and in the detail view', async () => {
    const run = makeRun({ tags: [] });
    transport.search.mockResolvedValue(page([run]));
    await store.reload();
    store.open(run);
    transport.changeTags.mockResolvedValueOnce([{ ...run, tags: ['new'], revision: 2 }]);
    await store.changeTags({ sim_ids: [run.sim_id], add: ['new'] });
    expect(store.getState().opened?.tags).toEqual(['new']);
    expect(store.getState().items[0]?.tags).toEqual(['new']);
  });
});

it('aborts what is under way and forgets its listeners when disposed', async () => {
  const never = deferred<SearchPage>();
  transport.search.mockReturnValueOnce(never.promise);
  store.subscribe(vi.fn());
  void store.reload();
  await vi.waitFor(() => expect(transport.search).toHaveBeenCalled());
  store.dispose();
  expect(transport.search.mock.calls[0]![1]!.aborted).toBe(true);
  expect(store.listenerCount).toBe(0);
});
