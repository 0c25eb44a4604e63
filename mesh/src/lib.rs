//! What every service of the BionicPRO mesh is made from.
