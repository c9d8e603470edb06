// For the type checker only: what /client/tessera.js is, which the server serves to the page.
export * from 'tessera/client';
