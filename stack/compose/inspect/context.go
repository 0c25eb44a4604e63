package main

import (
	"bufio"
	"os"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Of the files that are named in the input, a line each, those that an engine is sent.
func sentOf(rules string) (any, error) {
	file, err := os.Open(rules)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	sent := []string{}
	for names := bufio.NewScanner(os.Stdin); names.Scan(); {
		ignored, err := matcher.MatchesOrParentMatches(names.Text())
		if err != nil {
			return nil, err
		}
		if !ignored {
			sent = append(sent, names.Text())
		}
	}
	return sent, nil
}
