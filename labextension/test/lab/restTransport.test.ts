import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it, vi } from 'vitest';
import { RestTransport } from '../../src/lab/restTransport';
import { HEALTH, makeOutcome, makeRun, makeRuns, page } from '../fakes';

type Fetch = (request: Request) => Promise<Response>;

function connect(fetch: Fetch): { transport: RestTransport; sent: Request[] } {
  const sent: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/user/ada/',
    token: 't',
    fetch: vi.fn(async (input: RequestInfo | URL) => {
      const request = input as Request;
      sent.push(request);
      return fetch(request);
    })
  });
  return { transport: new RestTransport(settings), sent };
}

const json = (body: unknown, init?: ResponseInit): Response =>
  new Response(JSON.stringify(body), init);

describe('requests', () => {
  it('go to the base URL of the server, with its credentials', async () => {
    const { transport, sent } = connect(async () => json(HEALTH));
    await transport.health();
    expect(sent[0]!.url).toContain('http://localhost:8888/user/ada/ape-jupyter/api/v1/health');
    expect(sent[0]!.headers.get('Authorization')).toBe('token t');
  });

  it('encode what the user typed', async () => {
    const { transport, sent } = connect(async () => json(page([])));
    await transport.search({ query: 'a&b=c d', limit: 5, cursor: 'x=' });
    const { searchParams } = new URL(sent[0]!.url);
    expect(searchParams.get('query')).toBe('a&b=c d');
    expect(searchParams.get('cursor')).toBe('x=');
    expect(searchParams.get('limit')).toBe('5');
  });

  it('change tags, and delete and restore runs', async () => {
    const run = makeRun();
    const { transport, sent } = connect(async ({ url }) =>
      json(url.includes('/tags') ? { items: [run] } : run)
    );
    expect(await transport.changeTags({ sim_ids: ['a'], add: ['x'] })).toEqual([run]);
    await transport.remove('a b');
    await transport.restore('a b');
    expect(await sent[0]!.json()).toEqual({ sim_ids: ['a'], add: ['x'], remove: [] });
    expect([sent[1]!.method, new URL(sent[1]!.url).pathname]).toEqual([
      'DELETE',
      '/user/ada/ape-jupyter/api/v1/simulations/a%20b'
    ]);
    expect(sent[2]!.method).toBe('POST');
  });
});

describe('what comes in', () => {
  it('is started, asked about and cancelled by its id', async () => {
    const { transport, sent } = connect(async () => json({ items: [] }));
    await transport.startImport('/data/x');
    await transport.cancelImport('a/b');
    await transport.watchFolder('/data/y');
    expect(await transport.imports()).toEqual([]);
    expect(await transport.watches()).toEqual([]);
    expect(await sent[0]!.json()).toEqual({ path: '/data/x' });
    expect([sent[1]!.method, new URL(sent[1]!.url).pathname]).toEqual([
      'DELETE',
      '/user/ada/ape-jupyter/api/v1/imports/a%2Fb'
    ]);
    expect(await sent[2]!.json()).toEqual({ folder: '/data/y' });
  });

  it('is sent as a package', async () => {
    const { transport, sent } = connect(async () => json(makeOutcome()));
    await transport.upload(new Blob(['PK']));
    expect(sent[0]!.headers.get('Content-Type')).toBe('application/zip');
    expect(await sent[0]!.text()).toBe('PK');
  });
});

describe('pages', () => {
  it('that are unchanged answer with the same object', async () => {
    const { transport, sent } = connect(async ({ headers }) =>
      headers.get('If-None-Match') === 'W/"7"'
        ? new Response(null, { status: 304 })
        : json(page(makeRuns(2)), { headers: { ETag: 'W/"7"' } })
    );
    const first = await transport.search({ query: '', limit: 50 });
    const second = await transport.search({ query: '', limit: 50 });
    expect(second).toBe(first);
    expect(sent).toHaveLength(2);
  });

  it('of another query are asked for without the tag', async () => {
    const { transport, sent } = connect(async () => json(page([]), { headers: { ETag: 'W/"7"' } }));
    await transport.search({ query: '', limit: 50 });
    await transport.search({ query: 'x', limit: 50 });
    expect(sent[1]!.headers.get('If-None-Match')).toBeNull();
  });
});

describe('failures', () => {
  it.each([
    [401, { message: 'Unauthorized' }, 'unauthorized'],
    [403, { message: 'Forbidden' }, 'forbidden'],
    [404, { message: 'Not Found' }, 'not-enabled'],
    [500, 'not an object', 'server']
  ])('with status %i are told apart', async (status, body, kind) => {
    const { transport } = connect(async () => json(body, { status }));
    await expect(transport.health()).rejects.toMatchObject({ kind, status });
  });

  it('carry what the library said', async () => {
    const body = {
      error: 'SimulationNotFoundError',
      message: "No run 'x'.",
      details: { suggestions: ['xy'] }
    };
    const { transport } = connect(async () => json(body, { status: 404 }));
    await expect(transport.metadata('x')).rejects.toMatchObject({
      kind: 'not-found',
      message: "No run 'x'.",
      details: { suggestions: ['xy'] }
    });
  });

  it('to connect mean offline', async () => {
    const { transport } = connect(async () => Promise.reject(new TypeError('Failed to fetch')));
    await expect(transport.health()).rejects.toMatchObject({ kind: 'offline' });
  });

  it('of an aborted request are aborts, not problems', async () => {
    const { transport } = connect(async () => Promise.reject(new TypeError('aborted')));
    const controller = new AbortController();
    controller.abort();
    await expect(transport.health(controller.signal)).rejects.toMatchObject({
      name: 'AbortError'
    });
  });

  it('of a body that is no JSON are failures of the server', async () => {
    const { transport } = connect(async () => new Response('<html>'));
    await expect(transport.health()).rejects.toMatchObject({ kind: 'server' });
  });
});
