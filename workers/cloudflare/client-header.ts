/** How the front of `npm start` passes the client's address to the Worker; it never passes on a client's own header. */
export const CLIENT_HEADER = 'x-lamina-client'
