// Holds nothing: a target of precompiled headers needs a source.
