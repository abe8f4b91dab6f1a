/** How the front of `npm start` tells the Worker the address of who asks; it never passes on a client's own. */
export const CLIENT_HEADER = 'x-lamina-client'
