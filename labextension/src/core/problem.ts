/** What went wrong, as far as it changes what the user can do about it. */
export type ProblemKind =
  | 'offline'
  | 'unauthorized'
  | 'forbidden'
  | 'not-enabled'
  | 'not-found'
  | 'invalid'
  | 'conflict'
  | 'busy'
  | 'server'
  | 'no-answer';

/** The body of every error answer of the server and of the kernel. */
export interface ErrorBody {
  error: string;
  message: string;
  details?: Record<string, unknown>;
}

export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    readonly status: number | null = null
  ) {
    super(message);
    this.name = 'Problem';
  }
}

const KIND_OF_ERROR: Readonly<Record<string, ProblemKind>> = {
  SimulationNotFoundError: 'not-found',
  InvalidArgumentError: 'invalid',
  InvalidResultsError: 'invalid',
  QuerySyntaxError: 'invalid',
  ConflictError: 'conflict',
  LibraryBusyError: 'busy',
  PermissionDeniedError: 'forbidden',
  ServerUnavailableError: 'offline'
};

export function isErrorBody(value: unknown): value is ErrorBody {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as ErrorBody).error === 'string' &&
    typeof (value as ErrorBody).message === 'string'
  );
}

/** The problem that an error named by the library stands for. */
export function problemFromBody(body: ErrorBody, status: number | null = null): Problem {
  const kind = KIND_OF_ERROR[body.error] ?? kindOfStatus(status, true);
  return new Problem(kind, body.message, body.details ?? {}, status);
}

/** The problem behind an HTTP answer; a 404 that is not the library's own means no extension. */
export function problemFromStatus(status: number, body: unknown): Problem {
  if (isErrorBody(body)) {
    return problemFromBody(body, status);
  }
  const message = (body as { message?: unknown } | null)?.message;
  return new Problem(
    kindOfStatus(status, false),
    typeof message === 'string' ? message : '',
    {},
    status
  );
}

function kindOfStatus(status: number | null, fromLibrary: boolean): ProblemKind {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return fromLibrary ? 'not-found' : 'not-enabled';
    case 409:
    case 412:
      return 'conflict';
    case 400:
    case 422:
      return 'invalid';
    default:
      return 'server';
  }
}

/** Anything thrown, as a problem; what is none is a fault of this front end or its server. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  return new Problem('server', error instanceof Error ? error.message : String(error));
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function abortError(): DOMException {
  return new DOMException('The answer is no longer wanted.', 'AbortError');
}
