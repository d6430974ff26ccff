// What stock clients make of a workload that is held, of several kinds and styles alike.

/** They know no such hold, and look at none of its pods. */
export const takenForFinished = 'clients such as helm --wait take it for finished while it is held'
