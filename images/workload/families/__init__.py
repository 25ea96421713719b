"""Code that several topologies share: one module for each family of networks.

A module here adds the layers of any member of its family; the members are modules in topologies/. It must not know how
a network is trained or in which layout.
"""
