/** @type {import('prettier').Config} */
export default {
  arrowParens: 'avoid',
  printWidth: 100,
  singleQuote: true,
  trailingComma: 'none'
};
