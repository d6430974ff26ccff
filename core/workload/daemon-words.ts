// What is told of every kind that has a pod for each node: a pod that is missing always comes new.

/** Why no abort brings new pods back. */
export const nobodyReturns =
  'an abort brings nobody back, since a pod of a DaemonSet always comes new'

/** What no hold of such a kind keeps. */
export const newNodesAreNew = 'a node that joins meanwhile gets the new version at once'
