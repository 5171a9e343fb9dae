import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import {
  Problem,
  abortError,
  problemFromStatus,
  type Health,
  type ImportOutcome,
  type Job,
  type LibraryTransport,
  type SearchPage,
  type SearchRequest,
  type SimulationDocuments,
  type SimulationMetadata,
  type TagChange,
  type TagCount,
  type WatchState
} from '../core';

const API = 'ape-jupyter/api/v1';

interface CachedPage {
  etag: string;
  page: SearchPage;
}

/** The library over the REST interface of this page's own Jupyter server. */
export class RestTransport implements LibraryTransport {
  readonly #settings: ServerConnection.ISettings;
  // Only the page that is polled is worth keeping.
  #cachedUrl = '';
  #cached: CachedPage | null = null;

  constructor(settings: ServerConnection.ISettings) {
    this.#settings = settings;
  }

  async health(signal?: AbortSignal): Promise<Health> {
    return this.#json<Health>('health', {}, signal);
  }

  async search(request: SearchRequest, signal?: AbortSignal): Promise<SearchPage> {
    const query = { limit: String(request.limit), query: request.query };
    const path = `simulations${URLExt.objectToQueryString(
      request.cursor === undefined ? query : { ...query, cursor: request.cursor }
    )}`;
    const known = path === this.#cachedUrl ? this.#cached : null;
    const response = await this.#send(
      path,
      known === null ? {} : { headers: { 'If-None-Match': known.etag } },
      signal
    );
    if (response.status === 304 && known !== null) {
      return known.page;
    }
    const page = await readJson<SearchPage>(response);
    const etag = response.headers.get('ETag');
    if (etag !== null && request.cursor === undefined) {
      this.#cachedUrl = path;
      this.#cached = { etag, page };
    }
    return page;
  }

  async metadata(simId: string, signal?: AbortSignal): Promise<SimulationMetadata> {
    return this.#json<SimulationMetadata>(runPath(simId), {}, signal);
  }

  async documents(simId: string, signal?: AbortSignal): Promise<SimulationDocuments> {
    return this.#json<SimulationDocuments>(`${runPath(simId)}/documents`, {}, signal);
  }

  async remove(simId: string): Promise<SimulationMetadata> {
    return this.#json<SimulationMetadata>(runPath(simId), { method: 'DELETE' });
  }

  async restore(simId: string): Promise<SimulationMetadata> {
    return this.#json<SimulationMetadata>(`${runPath(simId)}/restore`, { method: 'POST' });
  }

  async tags(signal?: AbortSignal): Promise<TagCount[]> {
    return this.#json<TagCount[]>('tags', {}, signal);
  }

  async changeTags(change: TagChange): Promise<SimulationMetadata[]> {
    const answer = await this.#json<{ items: SimulationMetadata[] }>(
      'tags',
      posted({ add: [], remove: [], ...change })
    );
    return answer.items;
  }

  async imports(signal?: AbortSignal): Promise<Job[]> {
    return (await this.#json<{ items: Job[] }>('imports', {}, signal)).items;
  }

  async importJob(jobId: string, signal?: AbortSignal): Promise<Job> {
    return this.#json<Job>(`imports/${encodeURIComponent(jobId)}`, {}, signal);
  }

  async startImport(path: string): Promise<Job> {
    return this.#json<Job>('imports', posted({ path }));
  }

  async cancelImport(jobId: string): Promise<Job> {
    return this.#json<Job>(`imports/${encodeURIComponent(jobId)}`, { method: 'DELETE' });
  }

  async upload(file: Blob, signal?: AbortSignal): Promise<ImportOutcome> {
    const headers = { 'Content-Type': 'application/zip' };
    return this.#json<ImportOutcome>('packages', { method: 'POST', body: file, headers }, signal);
  }

  async watches(signal?: AbortSignal): Promise<WatchState[]> {
    return (await this.#json<{ items: WatchState[] }>('watches', {}, signal)).items;
  }

  async watchFolder(folder: string): Promise<WatchState> {
    return this.#json<WatchState>('watches', posted({ folder }));
  }

  async stopWatch(watchId: string): Promise<WatchState> {
    return this.#json<WatchState>(`watches/${encodeURIComponent(watchId)}`, { method: 'DELETE' });
  }

  async #json<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
    return readJson<T>(await this.#send(path, init, signal));
  }

  async #send(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const url = URLExt.join(this.#settings.baseUrl, API, path);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        url,
        signal === undefined ? init : { ...init, signal },
        this.#settings
      );
    } catch (error) {
      if (signal?.aborted) {
        throw abortError();
      }
      throw new Problem('offline', error instanceof Error ? error.message : String(error));
    }
    // A server that wants a login redirects to its page for it, which is no answer of ours.
    if (response.redirected && new URL(response.url).pathname.endsWith('/login')) {
      throw new Problem('unauthorized', '', {}, 401);
    }
    if (!response.ok && response.status !== 304) {
      throw problemFromStatus(response.status, await readBody(response));
    }
    return response;
  }
}

function posted(body: unknown): RequestInit {
  const headers = { 'Content-Type': 'application/json' };
  return { method: 'POST', body: JSON.stringify(body), headers };
}

function runPath(simId: string): string {
  return `simulations/${encodeURIComponent(simId)}`;
}

async function readBody(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    return null;
  }
}

async function readJson<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch {
    throw new Problem('server', 'The answer is not JSON.', {}, response.status);
  }
}
