"""The demo's machine learning pipeline: real data, real files, real models, told by the project's own emitters.

It needs scikit-learn (``pip install 'lineage-graph[demo]'``); nothing else of the package imports it.
"""
