import type { Problem } from '../problem';
import type { Trans } from '../trans';

export interface Explanation {
  title: string;
  /** What is wrong and what to do, in sentences. */
  text: string;
  /** A command for a terminal that mends it. */
  command?: string;
  /** What the server itself said, where that adds something. */
  said?: string;
}

function suggestionsOf(problem: Problem): string {
  const { suggestions } = problem.details;
  return Array.isArray(suggestions)
    ? suggestions.filter(s => typeof s === 'string').join(', ')
    : '';
}

/** What each problem means for the user, and the way out of it. */
export function explain(problem: Problem, trans: Trans): Explanation {
  const said = problem.message ? { said: problem.message } : {};
  switch (problem.kind) {
    case 'offline':
      return {
        title: trans.__('The Jupyter server does not answer'),
        text: trans.__(
          'It may have stopped, or the network is down. Runs are safe on its disk. Start the server again or reconnect, then retry.'
        )
      };
    case 'unauthorized':
      return {
        title: trans.__('You are not logged in'),
        text: trans.__(
          'The Jupyter server does not know you any more. Log in again in this browser, then retry.'
        )
      };
    case 'forbidden':
      return {
        title: trans.__('You may not do this'),
        text: trans.__(
          'You are logged in, but this server does not allow it to you. Ask whoever runs it for access to the simulation library.'
        ),
        ...said
      };
    case 'not-enabled':
      return {
        title: trans.__('The server part of ape-jupyter is not running'),
        text: trans.__(
          'This Jupyter server has no simulation library. Enable the extension in the environment of the server, then restart the server.'
        ),
        command: 'jupyter server extension enable ape_jupyter'
      };
    case 'not-found': {
      const near = suggestionsOf(problem);
      return {
        title: trans.__('This run is not in the library'),
        text: near
          ? trans.__('It was deleted or renamed. Near names: %1', near)
          : trans.__('It was deleted or renamed. Refresh the list to see what is there.')
      };
    }
    case 'invalid': {
      const { hint } = problem.details;
      return {
        title: trans.__('This can not be understood'),
        text:
          typeof hint === 'string' && hint ? hint : trans.__('Change it as described and retry.'),
        ...said
      };
    }
    case 'conflict':
      return {
        title: trans.__('Somebody else changed this meanwhile'),
        text: trans.__(
          'Nothing of theirs was overwritten. Refresh, look at the change, and do it again.'
        ),
        ...said
      };
    case 'busy':
      return {
        title: trans.__('The library is busy'),
        text: trans.__('Another process is writing to it. Retry in a moment.'),
        ...said
      };
    case 'no-answer':
      return {
        title: trans.__('The kernel does not answer'),
        text: trans.__(
          'It is busy with another cell, or was restarted. Wait until it is idle and retry; after a restart run the cell again.'
        )
      };
    case 'server':
      return {
        title:
          problem.status === null
            ? trans.__('Something went wrong')
            : trans.__('The server failed (%1)', problem.status),
        text: trans.__(
          'Nothing was changed. Retry; if it stays, the log of the Jupyter server says why.'
        ),
        ...said
      };
  }
}
