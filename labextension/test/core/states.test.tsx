import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { beforeEach, describe, expect, it } from 'vitest';
import { LibraryPanel, LibraryStore, Problem, english, type ProblemKind } from '../../src/core';
import { explain } from '../../src/core/ui/explain';
import { FakeTransport, HEALTH, fakeHost, makeRuns, page } from '../fakes';

let transport: FakeTransport;
let store: LibraryStore;

beforeEach(() => {
  transport = new FakeTransport();
  store = new LibraryStore({ transport });
  render(<LibraryPanel store={store} host={fakeHost()} trans={english} />);
});

it('shows where runs will be while they load', () => {
  expect(screen.getByRole('status', { name: 'Loading runs…' })).toBeTruthy();
});

it('tells how to fill an empty library', async () => {
  await store.reload();
  expect(await screen.findByText('No runs yet')).toBeTruthy();
  expect(screen.getByText('The library at /data/library is empty.')).toBeTruthy();
  expect(screen.getByText('ape-jupyter import PATH')).toBeTruthy();
  expect(screen.getByText('ape.connect().import_results("PATH")')).toBeTruthy();
});

describe('failures', () => {
  it.each<[ProblemKind, RegExp]>([
    ['offline', /does not answer/],
    ['unauthorized', /not logged in/],
    ['forbidden', /may not do this/],
    ['not-enabled', /server part of ape-jupyter is not running/],
    ['server', /server failed \(500\)/]
  ])('%s has its own words, and can be tried again', async (kind, title) => {
    transport.health.mockRejectedValueOnce(new Problem(kind, '', {}, 500));
    await store.reload();
    expect((await screen.findByRole('alert')).textContent).toMatch(title);
    transport.search.mockResolvedValueOnce(page(makeRuns(1)));
    await userEvent.click(screen.getByRole('button', { name: 'Retry' }));
    expect(await screen.findAllByRole('option')).toHaveLength(1);
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('without the extension show the command that enables it', async () => {
    transport.health.mockRejectedValueOnce(new Problem('not-enabled', ''));
    await store.reload();
    expect(await screen.findByText('jupyter server extension enable ape_jupyter')).toBeTruthy();
  });

  it('after a success leave the last runs in view', async () => {
    transport.search.mockResolvedValueOnce(page(makeRuns(2)));
    await store.reload();
    transport.search.mockRejectedValueOnce(new Problem('offline', ''));
    await store.reload();
    expect((await screen.findByRole('alert')).textContent).toMatch(/does not answer/);
    expect(screen.getAllByRole('option')).toHaveLength(2);
  });

  it('all differ in title and text', () => {
    const kinds: ProblemKind[] = [
      'offline',
      'unauthorized',
      'forbidden',
      'not-enabled',
      'not-found',
      'invalid',
      'conflict',
      'busy',
      'server',
      'no-answer'
    ];
    const explanations = kinds.map(kind => explain(new Problem(kind, ''), english));
    expect(new Set(explanations.map(({ title }) => title)).size).toBe(kinds.length);
    expect(new Set(explanations.map(({ text }) => text)).size).toBe(kinds.length);
  });
});

it('warns when page and server differ in version, and still lists runs', async () => {
  transport.health.mockResolvedValueOnce({ ...HEALTH, api_version: 2, version: '0.9.0' });
  transport.search.mockResolvedValueOnce(page(makeRuns(1)));
  await store.reload();
  expect((await screen.findByRole('alert')).textContent).toMatch(
    /ape-jupyter 0.9.0 \(interface 2\)/
  );
  expect(screen.getAllByRole('option')).toHaveLength(1);
});
