//! The contracts of the BionicPRO mesh, compiled.
